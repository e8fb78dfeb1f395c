import Foundation
import SprintCommunication
import SprintKernels

/// A run needs more memory than there is.
package struct MemoryShortage: Error, CustomStringConvertible {
  /// One line that begins with `memory`.
  package let description: String

  /// The system refused memory.
  package init(_ description: String) { self.description = description }

  /// - Parameters:
  ///   - who: the processes that need the memory
  ///   - limit: what has or leaves the memory
  init(_ who: String, needs needed: Double, _ limit: String, _ available: Double) {
    description =
      "memory: \(who) \(Self.gibibytes(needed)), \(limit) \(Self.gibibytes(available)); use \(Self.remedies)"
  }

  /// What a user can do about it.
  package static let remedies =
    "a smaller batch, `accumulate`, `memory.recompute: blocks`, `checkpoint.background: false`, "
    + "fewer `threads` or more ranks"

  /// Formats bytes.
  package static func gibibytes(_ bytes: Double) -> String {
    bytes < 0x1p30 ? String(format: "%.0f MiB", bytes / 0x1p20) : String(format: "%.1f GiB", bytes / 0x1p30)
  }
}

extension Configuration {
  /// Throws `MemoryShortage` if the ranks of a host need more memory than the host has, or a rank more than its limit
  /// leaves. All ranks call it before they take memory.
  package func checkMemory(_ communicator: Communicator, _ memory: MachineMemory = .current) throws {
    let need = MemoryNeed(self, ranks: communicator.size, threads: threads ?? Launch.threadsPerRank)
    let own = communicator.rank == 0 ? need.ofRankZero : need.ofEachRank
    let neighbours = Double((Launch.current?.localSize ?? 1) - 1)
    let numbers = try communicator.gather([
      own + neighbours * need.ofEachRank, memory.host ?? .infinity, own + need.addressSpaceOfThreads,
      memory.process ?? .infinity, neighbours + 1,
    ])
    try communicator.agree {
      // Rank zero compares for all, so that its error is the one that is reported.
      for (rank, numbers) in numbers.enumerated() { try Self.compare(numbers, rank: rank) }
    }
  }

  private static func compare(_ numbers: [Double], rank: Int) throws {
    if numbers[0] > numbers[1] {
      let who = numbers[4] > 1 ? "\(Int(numbers[4])) ranks on the host of rank \(rank) need" : "rank \(rank) needs"
      throw MemoryShortage(who, needs: numbers[0], "its host has", numbers[1])
    }
    if numbers[2] > numbers[3] {
      throw MemoryShortage(
        "rank \(rank) needs an address space of", needs: numbers[2], "its limit (ulimit -v) leaves", numbers[3])
    }
  }
}

import Foundation
import SprintCommunication
import SprintKernels

/// A run needs more memory than there is.
package struct MemoryShortage: Error, CustomStringConvertible {
  private let problem: String
  /// What the user can do.
  package var remedies = Self.remedies

  /// One line that begins with `memory`.
  package var description: String { "memory: \(problem); use \(remedies)" }

  /// - Parameters:
  ///   - who: the processes that need the memory
  ///   - limit: what has or leaves the memory
  init(_ who: String, needs needed: Double, _ limit: String, _ available: Double) {
    problem = "\(who) \(Self.gibibytes(needed)), \(limit) \(Self.gibibytes(available))"
  }

  /// What the user of a configuration can do.
  package static let remedies =
    "a smaller batch, `accumulate`, `memory.recompute: blocks`, `checkpoint.background: false`, "
    + "fewer `threads` or more ranks"

  /// Formats bytes.
  package static func gibibytes(_ bytes: Double) -> String {
    bytes < 0x1p30 ? String(format: "%.0f MiB", bytes / 0x1p20) : String(format: "%.1f GiB", bytes / 0x1p30)
  }
}

extension Configuration {
  /// Throws `MemoryShortage` if the ranks of a host need more memory than the host has, or a rank more than its limits
  /// leave. All ranks call it before they take memory.
  package func checkMemory(_ communicator: Communicator, _ memory: MachineMemory = .current) throws {
    let need = MemoryNeed(self, ranks: communicator.size, threads: threads ?? Launch.threadsPerRank)
    let ranks = max(1, Launch.current?.localSize ?? 1)
    let numbers = MachineMemory.Limit.allCases.flatMap { limit in
      let own = need.bytes(of: limit, isRankZero: communicator.rank == 0)
      let others = limit.isShared ? Double(ranks - 1) * need.bytes(of: limit, isRankZero: false) : 0
      return [own + others, memory[limit] ?? .infinity]
    }
    let all = try communicator.gather(numbers + [Double(ranks)])
    try communicator.agree {
      // Rank zero compares for all, so that its error is the one that is reported.
      for (rank, numbers) in all.enumerated() { try Self.compare(numbers, rank: rank) }
    }
  }

  /// - Parameter numbers: for each limit what is needed and what is left, then the number of ranks that share them
  private static func compare(_ numbers: [Double], rank: Int) throws {
    let ranks = Int(numbers[numbers.count - 1])
    for (index, limit) in MachineMemory.Limit.allCases.enumerated() {
      let (needed, left) = (numbers[2 * index], numbers[2 * index + 1])
      guard needed > left else { continue }
      let isShared = limit.isShared && ranks > 1
      let who = isShared ? "\(ranks) ranks on the host of rank \(rank) need" : "rank \(rank) needs"
      throw MemoryShortage(limit == .host ? who : "\(who) an address space of", needs: needed, limit.name, left)
    }
  }
}

extension MachineMemory.Limit {
  /// What has the memory, with a verb.
  fileprivate var name: String {
    switch self {
    case .host: "its host has"
    case .promise: "its host, whose vm.overcommit_memory is 2, promises"
    case .addressSpace: "its limit (ulimit -v) leaves"
    case .data: "its limit (ulimit -d) leaves"
    }
  }
}

import Foundation
import SprintCommunication
import SprintKernels

/// Ranks simulated in this process.
package enum Ranks {
  /// Runs `body` on all ranks at once and returns the results in the order of ranks. Throws the error of the first rank
  /// that has one.
  package static func run<Result>(_ count: Int, _ body: @escaping (Communicator) throws -> Result) throws -> [Result] {
    let communicators = try Communicator.inProcess(ranks: count)
    let results = Results<Result>(count)
    let work = Work(body: body)
    let group = DispatchGroup()
    for communicator in communicators {
      group.enter()
      try BackgroundThread.start("rank \(communicator.rank)") {
        results.set(communicator.rank, Swift.Result { try work.body(communicator) })
        group.leave()
      }
    }
    group.wait()
    let all = try results.all()
    for communicator in communicators where count > 1 { communicator.end() }
    return all
  }

  private struct Work<Result>: @unchecked Sendable {
    let body: (Communicator) throws -> Result
  }

  private final class Results<Result>: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Swift.Result<Result, any Error>?]

    init(_ count: Int) { results = Array(repeating: nil, count: count) }

    func set(_ rank: Int, _ result: Swift.Result<Result, any Error>) { lock.withLock { results[rank] = result } }

    func all() throws -> [Result] { try lock.withLock { try results.compactMap { try $0?.get() } } }
  }
}

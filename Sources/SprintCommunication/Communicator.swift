import Foundation
import SprintKernels
import Synchronization

/// One rank's way to all others. Operations are done one after another, in the order in which they were asked for, by a thread
/// of its own; every rank has to ask for the same ones in the same order.
package final class Communicator: @unchecked Sendable {
  /// Which rank this is, from zero.
  package private(set) var rank = 0
  /// How many ranks there are.
  package private(set) var size = 1

  private let condition = NSCondition()
  /// Guarded by `condition`.
  private var queue: [Pending] = []
  private var isClosed = false
  private var failure: (any Error)?
  private let awaited = Atomic(0)
  private let nanoseconds = Atomic(0)
  private var onFailure: @Sendable (any Error) -> Void = { _ in }
  private var hasThread = false
  /// Turns an error of this rank into the words that the others get.
  private(set) var describe: @Sendable (any Error) -> String = { "\($0)" }

  private init() {}

  /// The communicator of a process on its own: no thread, and nothing of MPI is called.
  package static func single() -> Communicator { Communicator() }

  /// `ranks` communicators between threads of this process.
  package static func inProcess(ranks: Int) -> [Communicator] {
    let office = InProcessTransport.PostOffice(ranks: ranks)
    return (0..<ranks).map { rank in
      let communicator = Communicator()
      (communicator.rank, communicator.size) = (rank, ranks)
      if ranks > 1 {
        communicator.start { _ in InProcessTransport(rank: rank, size: ranks, office) }
      }
      return communicator
    }
  }

  /// The communicator of a process that a launcher of MPI started.
  ///
  /// - Parameters:
  ///   - timeout: seconds within which a rank that has stopped is found
  ///   - onFailure: called once, by the communication thread, when ranks cannot work together any longer
  ///   - describe: turns an error of this rank into the words that the others get
  ///   - onNotice: called by it with a line on a rank that lives but does not go on
  package static func mpi(
    timeout: Double, onFailure: @escaping @Sendable (any Error) -> Void,
    describe: @escaping @Sendable (any Error) -> String = { "\($0)" },
    onNotice: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> Communicator {
    let communicator = Communicator()
    (communicator.onFailure, communicator.describe) = (onFailure, describe)
    communicator.start { communicator in
      let transport = try MPITransport(
        timeout: timeout, isAwaited: { communicator.awaited.load(ordering: .relaxed) > 0 }, onNotice: onNotice)
      (communicator.rank, communicator.size) = (transport.rank, transport.size)
      return transport
    }
    // Rank and size are known once the first operation is done.
    try communicator.submit { _ in }.wait()
    return communicator
  }

  /// Sets the seconds within which a rank that has stopped is found; all ranks call it.
  package func setTimeout(_ seconds: Double) throws {
    guard hasThread else { return }
    try submit { $0.setTimeout(seconds) }.wait()
  }

  /// Seconds that the communication thread has spent on operations so far.
  package var secondsBusy: Double { Double(nanoseconds.load(ordering: .relaxed)) / 1e9 }

  /// Waits for all ranks and ends; nothing may be asked for afterwards.
  package func close() throws {
    guard hasThread else { return }
    try barrier()
    end()
    try ended.wait()
  }

  /// Ends the thread once what was asked for is done.
  package func end() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  // MARK: The communication thread

  private let ended = Pending { _ in }

  private func start(_ make: @escaping @Sendable (Communicator) throws -> any Transport) {
    hasThread = true
    let thread = Thread { [self] in
      do {
        let transport = try make(self)
        while let pending = try next(idle: transport.idle(for:)) {
          let began = DispatchTime.now().uptimeNanoseconds
          try pending.operation(transport)
          nanoseconds.wrappingAdd(Int(DispatchTime.now().uptimeNanoseconds - began), ordering: .relaxed)
          finish(pending, nil)
        }
        try transport.close()
        ended.finish(nil)
      } catch {
        fail(error)
      }
    }
    thread.name = "communication"
    thread.start()
  }

  /// The next operation, waiting for it; nil at the end. Every 20 ms that there is none, `idle` is called.
  private func next(idle: (_ seconds: Double) throws -> Void) throws -> Pending? {
    let began = ContinuousClock.now
    while true {
      condition.lock()
      if queue.isEmpty, !isClosed { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.02)) }
      let (first, isOver) = (queue.first, isClosed && queue.isEmpty)
      condition.unlock()
      if let first { return first }
      if isOver { return nil }
      try idle((ContinuousClock.now - began) / .seconds(1))
    }
  }

  private func finish(_ pending: Pending, _ error: (any Error)?) {
    condition.lock()
    if queue.first === pending { queue.removeFirst() }
    condition.unlock()
    pending.finish(error)
  }

  /// Nothing works any longer: everybody who waits, now or later, is told.
  private func fail(_ error: any Error) {
    condition.lock()
    failure = error
    let waiting = queue
    queue = []
    condition.unlock()
    // First, since whoever is told that he waits in vain may end the process.
    onFailure(error)
    for pending in waiting { pending.finish(error) }
    ended.finish(error)
  }

  /// Asks for an operation.
  func submit(_ operation: @escaping @Sendable (any Transport) throws -> Void) -> Pending {
    let pending = Pending(awaited: { [self] in awaited.wrappingAdd($0, ordering: .relaxed) }, operation)
    condition.lock()
    let failure = failure
    if failure == nil { queue.append(pending) }
    condition.broadcast()
    condition.unlock()
    if let failure { pending.finish(failure) }
    return pending
  }
}

/// An operation on its way.
package final class Pending: @unchecked Sendable {
  fileprivate let operation: @Sendable (any Transport) throws -> Void
  private let awaited: @Sendable (Int) -> Void
  private let condition = NSCondition()
  /// Guarded by `condition`.
  private var result: Result<Void, any Error>?

  init(
    awaited: @escaping @Sendable (Int) -> Void = { _ in },
    _ operation: @escaping @Sendable (any Transport) throws -> Void
  ) {
    (self.awaited, self.operation) = (awaited, operation)
  }

  fileprivate func finish(_ error: (any Error)?) {
    condition.lock()
    result = result ?? (error.map { .failure($0) } ?? .success(()))
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until it is done.
  package func wait() throws {
    awaited(1)
    defer { awaited(-1) }
    condition.lock()
    defer { condition.unlock() }
    while result == nil { condition.wait() }
    try result?.get()
  }
}

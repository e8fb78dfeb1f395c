import Dispatch
import SprintKernels
import Synchronization

/// Connects one rank with all others. A thread of its own does the operations one after another, in the order in which
/// they were submitted; all ranks have to submit the same operations in the same order.
package final class Communicator: @unchecked Sendable {
  /// This rank, counted from zero.
  package private(set) var rank = 0
  /// The number of ranks.
  package private(set) var size = 1

  private let condition = Condition()
  /// The queue and the two properties after it are guarded by `condition`.
  private var queue: [Pending] = []
  private var isClosed = false
  private var failure: (any Error)?
  private let waiters = Atomic(0)
  private let nanoseconds = Atomic(0)
  private let sent = Atomic(0)
  private var onFailure: @Sendable (any Error) -> Void = { _ in }
  private var hasThread = false
  /// Turns an error of this rank into the words that the others get.
  private(set) var describe: @Sendable (any Error) -> String = { "\($0)" }

  private init() {}

  /// Makes the communicator of a single process. It has no thread and does not call MPI.
  package static func single() -> Communicator { Communicator() }

  /// Makes `ranks` communicators for threads of this process.
  package static func inProcess(ranks: Int) throws -> [Communicator] {
    let office = InProcessTransport.PostOffice(ranks: ranks)
    return try (0..<ranks).map { rank in
      let communicator = Communicator()
      (communicator.rank, communicator.size) = (rank, ranks)
      if ranks > 1 {
        try communicator.start { _ in InProcessTransport(rank: rank, size: ranks, office) }
      }
      return communicator
    }
  }

  /// Makes the communicator of a process that an MPI launcher started.
  ///
  /// - Parameters:
  ///   - timeout: seconds within which a stopped rank is noticed
  ///   - onFailure: called once, on the communication thread, when ranks can no longer work together
  ///   - describe: turns an error of this rank into the words that the other ranks get
  ///   - onNotice: called on the communication thread with a line about a rank that lives but makes no progress
  package static func mpi(
    timeout: Double, onFailure: @escaping @Sendable (any Error) -> Void,
    describe: @escaping @Sendable (any Error) -> String = { "\($0)" },
    onNotice: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> Communicator {
    let communicator = Communicator()
    (communicator.onFailure, communicator.describe) = (onFailure, describe)
    try communicator.start { communicator in
      let transport = try MPITransport(
        timeout: timeout, hasWaiters: { communicator.waiters.load(ordering: .relaxed) > 0 }, onNotice: onNotice)
      (communicator.rank, communicator.size) = (transport.rank, transport.size)
      return transport
    }
    // The thread sets rank and size before it does the first operation.
    try communicator.submit { _ in }.wait()
    return communicator
  }

  /// Sets the seconds within which a stopped rank is noticed; all ranks call it.
  package func setTimeout(_ seconds: Double) throws {
    guard hasThread else { return }
    try submit { $0.setTimeout(seconds) }.wait()
  }

  /// Seconds that the communication thread has spent on operations so far.
  package var secondsBusy: Double { Double(nanoseconds.load(ordering: .relaxed)) / 1e9 }

  /// Bytes that this rank has sent to others so far.
  package var bytesSent: Int { sent.load(ordering: .relaxed) }

  /// Waits for all ranks and ends the communication thread; nothing may be submitted afterwards.
  package func close() throws {
    guard hasThread else { return }
    try barrier()
    end()
    try ended.wait()
  }

  /// Ends the thread once all submitted operations are done.
  package func end() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  // MARK: The communication thread

  private let ended = Pending { _ in }

  private func start(_ make: @escaping @Sendable (Communicator) throws -> any Transport) throws {
    try BackgroundThread.start("communication") { [self] in
      do {
        let transport = CountingTransport(try make(self)) { [self] in sent.wrappingAdd($0, ordering: .relaxed) }
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
    hasThread = true
  }

  /// Waits for the next operation and returns it, or nil at the end. Calls `idle` every 20 ms while the queue is empty.
  private func next(idle: (_ seconds: Double) throws -> Void) throws -> Pending? {
    let began = ContinuousClock.now
    while true {
      condition.lock()
      if queue.isEmpty, !isClosed { condition.wait(seconds: 0.02) }
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

  /// Fails all operations, those submitted later included.
  private func fail(_ error: any Error) {
    condition.lock()
    failure = error
    let waiting = queue
    queue = []
    condition.unlock()
    // This comes first, because a thread whose wait fails may end the process.
    onFailure(error)
    for pending in waiting { pending.finish(error) }
    ended.finish(error)
  }

  /// Adds an operation to the queue.
  func submit(_ operation: @escaping @Sendable (any Transport) throws -> Void) -> Pending {
    let pending = Pending(countWaiters: { [self] in waiters.wrappingAdd($0, ordering: .relaxed) }, operation)
    condition.lock()
    let failure = failure
    if failure == nil { queue.append(pending) }
    condition.broadcast()
    condition.unlock()
    if let failure { pending.finish(failure) }
    return pending
  }
}

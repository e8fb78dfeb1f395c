/// The threads that help all workers of the process. They stay until it ends: no thread has to start in the middle of
/// the work, where its failure could only end it.
final class WorkerPool: @unchecked Sendable {
  static let shared = WorkerPool()
  private let work: Condition
  private let end: Condition
  /// The three are guarded by the conditions' lock: threads, those that are about to start included, and the jobs that
  /// still need helpers.
  private var threads = 0
  private var jobs: [Job] = []

  private final class Job: @unchecked Sendable {
    /// The properties are guarded by the pool's lock: helpers that joined, and those that have not left yet.
    private var joined = 0
    private var busy = 0
    private let seats: Int
    private var body: (@Sendable (_ worker: Int) -> Void)?

    init(helpers: Int, _ body: @escaping @Sendable (_ worker: Int) -> Void) { (seats, self.body) = (helpers, body) }

    var isFull: Bool { joined == seats }
    var isOver: Bool { busy == 0 }

    /// Takes the next place and returns its number; worker 0 is the thread that waits for the job.
    func join() -> Int {
      joined += 1
      busy += 1
      return joined
    }

    func leave() { busy -= 1 }

    /// Not inlined: no reference to the body may outlive the call.
    @inline(never) func help(_ worker: Int) { body?(worker) }

    func forgetBody() { body = nil }
  }

  private init() {
    let lock = Lock()
    (work, end) = (Condition(lock), Condition(lock))
  }

  /// Starts threads until `count` can help; throws `BackgroundThread.StartError` if the system refuses one.
  func start(helpers count: Int) throws {
    while work.withLock({ claim(count) }) {
      do { try BackgroundThread.start("worker") { [self] in helpForEver() } } catch {
        work.withLock { threads -= 1 }
        throw error
      }
    }
  }

  private func claim(_ count: Int) -> Bool {
    guard threads < count else { return false }
    threads += 1
    return true
  }

  /// Does `body` on this thread and on up to `helpers` others, each with its number, and waits for all of them.
  func run(helpers: Int, _ body: @Sendable (_ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      let job = Job(helpers: helpers, body)
      work.withLock { jobs.append(job) }
      for _ in 0..<helpers { work.signal() }
      body(0)
      end.withLock {
        jobs.removeAll { $0 === job }
        while !job.isOver { end.wait() }
        job.forgetBody()
      }
    }
  }

  private func helpForEver() {
    work.lock()
    while true {
      guard let job = jobs.first else {
        work.wait()
        continue
      }
      let worker = job.join()
      if job.isFull { jobs.removeFirst() }
      work.unlock()
      job.help(worker)
      work.lock()
      job.leave()
      if job.isOver { end.broadcast() }
    }
  }
}

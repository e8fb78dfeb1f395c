import Synchronization

/// A fixed number of threads that share numbered tasks.
package struct Workers: Sendable {
  /// The number of threads.
  package let count: Int

  /// Makes `count` workers, at least one, and only one where OpenBLAS is not safe for more. Ends the process if they
  /// cannot get the memory in which they compute.
  package init(_ count: Int) {
    precondition(count > 0, "\(count) workers; at least one is needed")
    self.count = BLAS.isThreadSafe ? count : 1
    BLAS.requireMemory(threads: self.count)
  }

  /// Starts the threads; throws `BackgroundThread.StartError` if the system refuses one. Without this call, `run`
  /// starts them, and makes do with fewer where it must.
  package func start() throws { try WorkerPool.shared.start(helpers: count - 1) }

  /// Runs `body(worker, task)` for every task below `tasks` and waits for all of them. A worker runs one task at a
  /// time, so memory set aside for a worker is never shared. Any worker may take any task.
  package func run(tasks: Int, _ body: @Sendable (_ worker: Int, _ task: Int) -> Void) {
    guard tasks > 1, count > 1 else {
      return Meter.count(.tasks) {
        for task in 0..<tasks { Trace.span("task", "task \(task)") { body(0, task) } }
      }
    }
    let next = Atomic(0)
    try? start()
    WorkerPool.shared.run(helpers: min(count, tasks) - 1) { worker in
      Meter.count(.tasks) {
        while true {
          let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard task < tasks else { return }
          Trace.span("task", "task \(task)") { body(worker, task) }
        }
      }
    }
  }

  /// Splits `total` items into even slices of at most `grain`, a multiple of the number of workers, and runs
  /// `body(worker, slice)` for each.
  package func run(over total: Int, grain: Int, _ body: @Sendable (_ worker: Int, _ slice: Range<Int>) -> Void) {
    let parts = Workers.parts(of: total, grain: grain, workers: count)
    run(tasks: parts) { worker, task in body(worker, Workers.slice(task, of: parts, total: total)) }
  }

  /// Splits `total` items into even slices of at most `most` and runs `body(worker, slice)` for each. The slices are
  /// the same for any number of workers: the rounding of a matrix product depends on its extents.
  package func run(
    over total: Int, inSlicesOf most: Int, _ body: @Sendable (_ worker: Int, _ slice: Range<Int>) -> Void
  ) {
    let parts = (total + most - 1) / most
    run(tasks: parts) { worker, task in body(worker, Workers.slice(task, of: parts, total: total)) }
  }

  /// Returns the number of even slices of at most `grain` items that keeps all workers equally busy.
  static func parts(of total: Int, grain: Int, workers: Int) -> Int {
    let wanted = max(1, (total + grain - 1) / grain)
    return min(total, (wanted + workers - 1) / workers * workers)
  }

  /// Returns slice `index` of `parts` even slices of `total` items.
  package static func slice(_ index: Int, of parts: Int, total: Int) -> Range<Int> {
    index * total / parts..<(index + 1) * total / parts
  }
}

import Dispatch
import Synchronization

/// A fixed number of threads that share out numbered tasks.
package struct Workers: Sendable {
  /// How many threads run at once.
  package let count: Int

  /// `count` workers, at least one.
  package init(_ count: Int) {
    precondition(count > 0, "at least one worker is needed")
    self.count = count
  }

  /// Runs `body(worker, task)` for every task below `tasks` and waits for all. A worker runs one task at a time, so memory
  /// that is set aside per worker is never shared; which worker takes which task is left to chance.
  package func run(tasks: Int, _ body: @Sendable (_ worker: Int, _ task: Int) -> Void) {
    guard tasks > 1, count > 1 else {
      return Meter.count(.tasks) { for task in 0..<tasks { body(0, task) } }
    }
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(count, tasks)) { worker in
      Meter.count(.tasks) {
        while true {
          let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard task < tasks else { return }
          body(worker, task)
        }
      }
    }
  }

  /// Splits `total` items into slices of at least `grain` where possible, a multiple of the number of workers otherwise, and
  /// runs `body(worker, slice)` for each.
  package func run(over total: Int, grain: Int, _ body: @Sendable (_ worker: Int, _ slice: Range<Int>) -> Void) {
    let parts = Workers.parts(of: total, grain: grain, workers: count)
    run(tasks: parts) { worker, task in body(worker, Workers.slice(task, of: parts, total: total)) }
  }

  /// Splits `total` items into slices of at most `most`, the same for any number of workers, and runs `body(worker, slice)` for each:
  /// the rounding of a matrix product depends on its extents.
  package func run(over total: Int, inSlicesOf most: Int, _ body: @Sendable (_ worker: Int, _ slice: Range<Int>) -> Void)
  {
    let parts = (total + most - 1) / most
    run(tasks: parts) { worker, task in body(worker, Workers.slice(task, of: parts, total: total)) }
  }

  /// The number of even slices to cut `total` items into: about `grain` items each, every worker equally busy.
  static func parts(of total: Int, grain: Int, workers: Int) -> Int {
    let wanted = max(1, (total + grain - 1) / grain)
    return min(total, (wanted + workers - 1) / workers * workers)
  }

  /// Slice `index` of `parts` even slices of `total` items.
  package static func slice(_ index: Int, of parts: Int, total: Int) -> Range<Int> {
    index * total / parts..<(index + 1) * total / parts
  }
}

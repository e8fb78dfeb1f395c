import Foundation
import SprintKernels
import Synchronization
import Testing

@Suite struct WorkersTests {
  private final class Counts: Sendable {
    let tasks = Atomic(0)
    let threads = Atomic(0)
  }

  @Test("Every task runs exactly once, and no worker runs two at a time", arguments: [1, 2, 5])
  func coverage(count: Int) {
    let total = Atomic(0)
    let seen = Mutex([Int: Int]())
    let busy = Mutex([Bool](repeating: false, count: count))
    let collisions = Atomic(0)
    Workers(count).run(over: 1003, grain: 10) { worker, slice in
      busy.withLock {
        if $0[worker] { collisions.add(1, ordering: .relaxed) }; $0[worker] = true
      }
      seen.withLock { for i in slice { $0[i, default: 0] += 1 } }
      total.add(slice.count, ordering: .relaxed)
      busy.withLock { $0[worker] = false }
    }
    #expect(total.load(ordering: .relaxed) == 1003)
    #expect(seen.withLock { $0.count == 1003 && $0.values.allSatisfy { $0 == 1 } })
    #expect(collisions.load(ordering: .relaxed) == 0)
  }

  /// If this fails, work that should be shared runs on one thread.
  @Test("All workers work at the same time", .timeLimit(.minutes(5)))
  func concurrency() {
    let inside = Atomic(0)
    Workers(3).run(tasks: 3) { _, _ in
      inside.wrappingAdd(1, ordering: .relaxed)
      while inside.load(ordering: .relaxed) < 3 { sched_yield() }
    }
    #expect(inside.load(ordering: .relaxed) == 3)
  }

  /// If this fails, simulated ranks, or work inside work, wait for one another for ever or lose tasks.
  @Test("Several threads use workers at once, also from inside a task", .timeLimit(.minutes(5)))
  func sharing() throws {
    let counts = Counts()
    for _ in 0..<8 {
      try BackgroundThread.start("test") {
        for _ in 0..<50 {
          Workers(3).run(tasks: 7) { _, _ in
            Workers(2).run(tasks: 5) { _, _ in counts.tasks.wrappingAdd(1, ordering: .relaxed) }
          }
        }
        counts.threads.wrappingAdd(1, ordering: .releasing)
      }
    }
    while counts.threads.load(ordering: .acquiring) < 8 { usleep(1000) }
    #expect(counts.tasks.load(ordering: .relaxed) == 8 * 50 * 7 * 5)
  }

  @Test("A timed wait ends at its time, with or without a signal")
  func timedWait() {
    let condition = Condition()
    let elapsed = ContinuousClock().measure { condition.withLock { condition.wait(seconds: 0.05) } }
    #expect(elapsed > .milliseconds(49) && elapsed < .seconds(5))
  }

  @Test("The core type that OpenBLAS should use is known, and a right choice is left alone")
  func coreTypes() {
    let wide: Set<String> = ["avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"]
    #expect(BLAS.betterCore(chosen: "Prescott", flags: wide, splits: false) == "SkylakeX")
    #expect(BLAS.betterCore(chosen: "Haswell", flags: wide, splits: false) == "SkylakeX")
    #expect(BLAS.betterCore(chosen: "Prescott", flags: ["avx2", "fma"], splits: false) == "Haswell")
    #expect(BLAS.betterCore(chosen: "Cooperlake", flags: wide, splits: false) == nil)
    #expect(BLAS.betterCore(chosen: "Cooperlake", flags: wide, splits: true) == "Haswell")
    #expect(BLAS.betterCore(chosen: "Zen", flags: wide, splits: true) == nil)
    #expect(BLAS.betterCore(chosen: "Zen", flags: ["avx2", "fma"], splits: false) == nil)
    #expect(BLAS.betterCore(chosen: "Prescott", flags: ["sse2"], splits: false) == nil)
  }
}

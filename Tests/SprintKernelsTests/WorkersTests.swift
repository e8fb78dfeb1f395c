import SprintKernels
import Synchronization
import Testing

@Suite struct WorkersTests {
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

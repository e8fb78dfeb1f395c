import COpenBLAS
import Foundation

/// OpenBLAS: the kernels that it uses, and how fast they are.
package enum BLAS {
  /// The core type whose kernels OpenBLAS uses, e.g. `SkylakeX`.
  package static var core: String { String(cString: openblas_get_corename()) }

  /// Makes every product run on its caller's thread alone; `Workers` splits the work.
  package static func useOneThread() { openblas_set_num_threads(1) }

  /// Computes `work`, in which OpenBLAS itself uses `count` threads. Nobody else may multiply meanwhile, unless it is
  /// one.
  static func withThreads<Result>(_ count: Int, _ work: () throws -> Result) rethrows -> Result {
    guard count > 1, isThreadSafe else { return try work() }
    openblas_set_num_threads(numericCast(count))
    defer { useOneThread() }
    return try work()
  }

  /// Whether several threads may multiply side by side. A library that was built without threads has no locks around
  /// its buffers, and its products are wrong at times.
  package static var isThreadSafe: Bool { openblas_get_parallel() != 0 }

  /// A line for those whose library allows a single thread, or nil.
  package static var notice: String? {
    isThreadSafe
      ? nil
      : "this OpenBLAS is built without threads (Spack's default, -serial), so sprint computes on one thread; "
        + "use a build with threads, or start one rank for each core"
  }

  /// Returns how many floats one register of the kernels of a core type holds.
  static func vectorWidth(ofCore core: String) -> Int {
    switch core.lowercased() {
    case "skylakex", "cooperlake", "sapphirerapids": 16
    case "haswell", "zen", "excavator", "sandybridge", "bulldozer", "piledriver", "steamroller": 8
    default: 4
    }
  }

  /// Returns the fastest core type for a CPU with these feature flags, or nil if every core type is as good.
  ///
  /// - Parameter splits: whether the CPU executes 512-bit operations in two halves, which makes 256-bit kernels some
  ///   percent faster
  static func preferredCore(flags: Set<String>, splits: Bool) -> String? {
    if !splits, flags.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl"]) { return "SkylakeX" }
    if flags.isSuperset(of: ["avx2", "fma"]) { return "Haswell" }
    return nil
  }

  /// Returns a core type that is faster than `chosen` on a CPU with these flags, or nil if there is none.
  package static func betterCore(chosen: String, flags: Set<String>, splits: Bool) -> String? {
    guard let preferred = preferredCore(flags: flags, splits: splits) else { return nil }
    return vectorWidth(ofCore: chosen) == vectorWidth(ofCore: preferred) ? nil : preferred
  }

  /// Bytes that threads take of a limit as soon as they multiply: OpenBLAS's buffers and stacks, and what malloc
  /// reserves of the address space for each. Most of it is never touched, so it takes nothing of the host's memory.
  package static func threadBytes(_ threads: Int, of limit: MachineMemory.Limit) -> Double {
    switch limit {
    case .host: 0
    case .promise, .data: Double(threads * 140 << 20)
    case .addressSpace: Double(threads * 200 << 20)
    }
  }

  /// Ends the process where a limit leaves too little for threads that multiply: OpenBLAS would try for ever to get its
  /// buffers.
  static func requireMemory(threads: Int, _ memory: MachineMemory = .current) {
    for limit in MachineMemory.Limit.allCases {
      let needed = threadBytes(threads, of: limit)
      guard let left = memory[limit], left < needed else { continue }
      OutOfMemory.end(
        String(
          format: "%d threads need an address space of %.0f MiB, the limit leaves %.0f MiB (see ulimit -v and -d)",
          threads, needed / 0x1p20, left / 0x1p20))
    }
  }
}

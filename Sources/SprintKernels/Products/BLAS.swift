import COpenBLAS
import Foundation

/// OpenBLAS as the process found it: which kernels it chose, and whether they are the right ones for this CPU.
package enum BLAS {
  /// The core type whose kernels OpenBLAS uses, e.g. `SkylakeX`.
  package static var core: String { String(cString: openblas_get_corename()) }

  /// Makes every product run on its caller's thread alone; the work is split by `Workers`.
  package static func useOneThread() { openblas_set_num_threads(1) }

  /// Floats in one register of the kernels that OpenBLAS has under the name `core`.
  static func vectorWidth(ofCore core: String) -> Int {
    switch core.lowercased() {
    case "skylakex", "cooperlake", "sapphirerapids": 16
    case "haswell", "zen", "excavator", "sandybridge", "bulldozer", "piledriver", "steamroller": 8
    default: 4
    }
  }

  /// The core type to ask for on a CPU with these feature flags, or nil where no faster one is known.
  ///
  /// - Parameter splits: whether the CPU executes 512-bit operations in two halves; 256-bit kernels are then faster by some percent
  static func preferredCore(flags: Set<String>, splits: Bool) -> String? {
    if !splits, flags.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl"]) { return "SkylakeX" }
    if flags.isSuperset(of: ["avx2", "fma"]) { return "Haswell" }
    return nil
  }

  /// The core type that would be faster than the chosen one on a CPU with these flags, or nil where the choice is right.
  package static func betterCore(chosen: String, flags: Set<String>, splits: Bool) -> String? {
    guard let preferred = preferredCore(flags: flags, splits: splits) else { return nil }
    return vectorWidth(ofCore: chosen) == vectorWidth(ofCore: preferred) ? nil : preferred
  }

  private static let guardVariable = "SPRINT_BLAS_CORE_CHECKED"

  /// Starts the program again with the right core type where OpenBLAS chose a slow one, at most once.
  ///
  /// OpenBLAS reads `OPENBLAS_CORETYPE` while it is being loaded, so it is too late to set it from within. Call this first
  /// thing in `main`. Returns the line to be logged, if there is anything to say.
  package static func reexecuteWithBetterCore() -> String? {
    let environment = ProcessInfo.processInfo.environment
    if let slow = environment[guardVariable] {
      // Some percent are not worth a line at every start; `sprint machine` names the core.
      guard vectorWidth(ofCore: slow) < vectorWidth(ofCore: core) else { return nil }
      return "OpenBLAS took this CPU for \(slow); restarted with OPENBLAS_CORETYPE=\(core)"
    }
    guard let better = betterCore(chosen: core, flags: CPU.flags, splits: CPU.splitsWideOperations) else { return nil }
    // Where the user has chosen wide registers, they stay.
    guard environment["OPENBLAS_CORETYPE"] == nil || vectorWidth(ofCore: core) < vectorWidth(ofCore: better) else {
      return nil
    }
    let chosen = core
    setenv("OPENBLAS_CORETYPE", better, 1)
    setenv(guardVariable, chosen, 1)
    var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    execv("/proc/self/exe", &arguments)
    // Only reached where the restart failed; the program works all the same, slower.
    return "OpenBLAS took this CPU for \(chosen) and is slow; set OPENBLAS_CORETYPE=\(better) to mend it"
  }

  /// Measures the rate of a square single-precision product on every worker at once.
  ///
  /// - Returns: FLOP/s of all workers together, the best of three tries.
  package static func measurePeak(workers: Workers, side: Int = 1024) -> Double {
    let arena = Arena(count: workers.count * 3 * Arena.aligned(side * side))
    let matrices = (0..<workers.count * 3).map { _ in arena.matrix(rows: side, columns: side) }
    for i in 0..<arena.elements.count { arena.elements[i] = Float(i % 17) * 0.1 }
    var best = 0.0
    for _ in 0..<3 {
      let clock = ContinuousClock()
      let elapsed = clock.measure {
        workers.run(tasks: workers.count) { _, task in
          multiply(matrices[task * 3], matrices[task * 3 + 1], into: matrices[task * 3 + 2])
        }
      }
      best = max(best, 2 * Double(side * side * side * workers.count) / (elapsed / .seconds(1)))
    }
    return best
  }
}

import Foundation

/// What to do about the kernels that OpenBLAS has chosen.
///
/// OpenBLAS chooses them while it is loaded, by `OPENBLAS_CORETYPE` if that is set and by its own guess otherwise. Old
/// versions guess wrong on new CPUs: 0.3.21 takes an Emerald Rapids Xeon for a Prescott, whose kernels are five times
/// slower. Setting the variable in a running process comes too late, so the program has to start itself again.
package enum CoreChoice: Equatable {
  /// The kernels are as fast as any that OpenBLAS has for this CPU.
  case keep
  /// OpenBLAS guessed wrong: start again with a better core type.
  case restart(guess: String, better: String)
  /// This process is the second one; its kernels replace those of a wrong guess.
  case restarted(guess: String, core: String)
  /// The user chose a core type whose kernels use `width` floats at a time on a CPU that has `possible`.
  case slow(setting: String, width: Int, possible: Int)

  private static let setting = "OPENBLAS_CORETYPE"
  /// Marks the second process, which inherits it; holds the wrong guess.
  private static let mark = "SPRINT_OPENBLAS_GUESS"

  /// The choice for this process.
  package static let current = CoreChoice(
    environment: ProcessInfo.processInfo.environment, chosen: BLAS.core, flags: CPU.flags,
    splits: CPU.splitsWideOperations)

  /// Judges the core type `chosen` on a CPU with these feature flags.
  ///
  /// - Parameter splits: whether the CPU executes 512-bit operations in two halves
  package init(environment: [String: String], chosen: String, flags: Set<String>, splits: Bool) {
    let better = BLAS.betterCore(chosen: chosen, flags: flags, splits: splits)
    if let guess = environment[Self.mark] {
      self = .restarted(guess: guess, core: chosen)
    } else if let setting = environment[Self.setting], !setting.isEmpty {
      // The user's setting stands, even a slow one.
      let (width, possible) = (BLAS.vectorWidth(ofCore: chosen), better.map(BLAS.vectorWidth) ?? 0)
      self = width < possible ? .slow(setting: setting, width: width, possible: possible) : .keep
    } else if let better {
      self = .restart(guess: chosen, better: better)
    } else {
      self = .keep
    }
  }

  /// Starts the program again if OpenBLAS guessed wrong. Call it first thing in `main`; returns if there is nothing to
  /// do or the restart fails.
  package func restartIfNeeded() {
    guard case .restart(let guess, let better) = self else { return }
    setenv(Self.setting, better, 1)
    setenv(Self.mark, guess, 1)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
  }

  /// A line for those who wait for a long computation, or nil if there is nothing worth saying.
  package var notice: String? {
    switch self {
    case .keep: nil
    case .slow(let setting, let width, let possible):
      "\(Self.setting)=\(setting): matrix products use \(width) floats at a time where this CPU has \(possible), "
        + "which costs about \(2 * width < possible ? "three quarters" : "half") of their speed; unset it"
    case .restart(let guess, let better):
      "OpenBLAS took this CPU for \(guess), and sprint could not restart itself; set \(Self.setting)=\(better)"
    case .restarted(let guess, let core):
      // Between kernels of one width there are some percent, which are not worth a line; `sprint machine` names the
      // core type.
      BLAS.vectorWidth(ofCore: guess) < BLAS.vectorWidth(ofCore: core)
        ? "OpenBLAS took this CPU for \(guess); restarted with \(Self.setting)=\(core)" : nil
    }
  }
}

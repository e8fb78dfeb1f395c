import SprintKernels
import Testing

/// What sprint does about OpenBLAS's kernels, by the environment, the core type in use and the CPU's feature flags.
@Suite struct CoreChoiceTests {
  private static let avx2: Set<String> = ["avx2", "fma"]
  private static let avx512 = avx2.union(["avx512f", "avx512bw", "avx512dq", "avx512vl"])

  private func choice(
    _ chosen: String, _ environment: [String: String] = [:], flags: Set<String> = avx512, splits: Bool = false
  ) -> CoreChoice {
    CoreChoice(environment: environment, chosen: chosen, flags: flags, splits: splits)
  }

  @Test("sprint restarts itself only where OpenBLAS guessed wrong by itself")
  func guesses() {
    #expect(choice("Prescott") == .restart(guess: "Prescott", better: "SkylakeX"))
    #expect(choice("Prescott", ["OPENBLAS_CORETYPE": ""]) == .restart(guess: "Prescott", better: "SkylakeX"))
    #expect(choice("Prescott", flags: Self.avx2) == .restart(guess: "Prescott", better: "Haswell"))
    #expect(choice("Cooperlake", splits: true) == .restart(guess: "Cooperlake", better: "Haswell"))
    for right in ["SkylakeX", "Cooperlake", "SapphireRapids"] { #expect(choice(right) == .keep) }
    #expect(choice("Zen", flags: Self.avx2) == .keep)
    #expect(choice("Prescott", flags: ["sse2"]) == .keep)
  }

  @Test("The user's core type stands; a notice says what a slower one costs and what to unset")
  func settings() {
    let half = choice("Haswell", ["OPENBLAS_CORETYPE": "Haswell"])
    #expect(half == .slow(setting: "Haswell", width: 8, possible: 16))
    #expect(
      half.notice == "OPENBLAS_CORETYPE=Haswell: matrix products use 8 floats at a time where this CPU has 16, "
        + "which costs about half of their speed; unset it")
    let quarter = choice("Prescott", ["OPENBLAS_CORETYPE": "Prescott"])
    #expect(quarter == .slow(setting: "Prescott", width: 4, possible: 16))
    #expect(quarter.notice?.contains("three quarters of their speed") == true)
    // OpenBLAS ignores a name that it does not know and guesses.
    #expect(choice("Prescott", ["OPENBLAS_CORETYPE": "Zen7"]).notice?.contains("OPENBLAS_CORETYPE=Zen7") == true)
  }

  @Test("A setting that costs nothing is no reason for a notice")
  func harmless() {
    #expect(choice("SkylakeX", ["OPENBLAS_CORETYPE": "SkylakeX"]) == .keep)
    #expect(choice("Haswell", ["OPENBLAS_CORETYPE": "Haswell"], flags: Self.avx2) == .keep)
    #expect(choice("Haswell", ["OPENBLAS_CORETYPE": "Haswell"], splits: true) == .keep)
    // Wide kernels on a CPU that splits their operations lose some percent.
    #expect(choice("SkylakeX", ["OPENBLAS_CORETYPE": "SkylakeX"], splits: true) == .keep)
  }

  @Test("The restarted process does not restart again and does not take its core type for the user's")
  func restarted() {
    let inherited = ["OPENBLAS_CORETYPE": "SkylakeX", "SPRINT_OPENBLAS_GUESS": "Prescott"]
    let second = choice("SkylakeX", inherited)
    #expect(second == .restarted(guess: "Prescott", core: "SkylakeX"))
    #expect(second.notice == "OpenBLAS took this CPU for Prescott; restarted with OPENBLAS_CORETYPE=SkylakeX")
    // An OpenBLAS that has no other kernels keeps the wrong ones.
    #expect(choice("Prescott", inherited) == .restarted(guess: "Prescott", core: "Prescott"))
    let narrower = choice(
      "Haswell", ["OPENBLAS_CORETYPE": "Haswell", "SPRINT_OPENBLAS_GUESS": "Cooperlake"], splits: true)
    #expect(narrower == .restarted(guess: "Cooperlake", core: "Haswell") && narrower.notice == nil)
  }

  @Test("A failed restart says what to set")
  func failedRestart() {
    #expect(choice("Prescott").notice?.hasSuffix("set OPENBLAS_CORETYPE=SkylakeX") == true)
    #expect(choice("SkylakeX").notice == nil)
  }
}

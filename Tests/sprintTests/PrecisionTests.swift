import SprintTestSupport
import Testing

extension ProcessTests {
  /// Runs in bfloat16 on CPUs of different kinds.
  @Suite struct PrecisionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// If this fails, a CPU without AVX-512 trains something else. On such a CPU both runs are the same.
    @Test("A run in bfloat16 has the same losses with and without AVX-512, to bfloat16's rounding")
    func kernels() throws {
      let losses = try ["ALL", "AVX2"].map { instructions in
        let run = ShortRun(instructions, in: folder, ["precision=bfloat16"])
        let environment = ["ONEDNN_MAX_CPU_ISA": instructions]
        let outcome = try run.start(ranks: nil, ["--until", "20"], environment: environment).wait(120)
        #expect(outcome.code == 0, "\(outcome)")
        return try run.losses().map(\.loss)
      }
      #expect(losses[0].count == 20 && losses[1].count == 20)
      for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 0.01 * b, "\(a) and \(b)") }
    }
  }
}

import Foundation
import SprintKernels
import SprintTestSupport
import Testing

extension ProcessTests {
  /// A run with all parts of SR-DiT on real ranks, in both precisions.
  @Suite(.timeLimit(.minutes(5))) struct SRDiTFaultTests {
    private let folder: TemporaryFolder
    private let parts: [String]

    init() throws {
      folder = try TemporaryFolder()
      let (data, count) = (folder.file("data.h5"), 120)
      var random = Randomness()
      try DatasetFile.write(
        data, shape: [count, 1, 8, 8], values: random.normal(count * 64),
        labels: (0..<count).map { Int64($0 % 10) }, features: ("teacher", [count, 16, 6], random.normal(count * 96)),
        more: [("/class_tokens/teacher", [count, 6], random.normal(count * 6))])
      parts = [
        "data={train: [\"\(data)\"], validation: [\"\(data)\"]}", "model.norm=rms", "model.value_residual=true",
        "model.position=rotary_and_sines", "model.class_token=6", "model.fusion=concat_linear_shallow_first",
        "model.output_order=channel_last", "model.mask_token=learned_from_zero", "class_token={teacher: teacher}",
        "contrastive={weight: 0.05}",
        "alignment={features: teacher, feature_width: 6, after_block: 1, projector: 8}", "diffusion.time_shift=64",
        "stages[0].path_drop_per=batch", "stages[0].path_drop=0.5",
      ]
    }

    private func run(_ name: String, _ precision: Precision) -> ShortRun {
      ShortRun(name, in: folder, parts + ["precision=\(precision.rawValue)"], batch: ShortRun.slowBatch)
    }

    /// If this fails, a state of one of the parts is missing in checkpoints, or a draw does not follow from the step.
    @Test(
      "After kill -9 of a rank at a random step the run ends with the bits of an undisturbed one",
      arguments: [1, 2, 3], Precision.allCases)
    func killed(ranks: Int, precision: Precision) throws {
      let whole = run("whole", precision)
      #expect(try whole.run(ranks: ranks).code == 0)
      var random = Randomness()
      let step = 15 + Int(abs(random.normal(1)[0]) * 20) % 60
      let run = run("killed", precision)
      let command = try run.start(ranks: ranks)
      try run.waitForStep(step, command)
      try run.wait(command, for: "a checkpoint") { !run.manifests().isEmpty }
      kill(try #require(Processes.ranks(of: run.path)[step % ranks]), SIGKILL)
      #expect(try command.wait(20).code != 0)
      #expect(try (run.losses().last?.step ?? 100) < 100, "the run was over before the kill")
      let outcome = try run.run(ranks: ranks)
      #expect(outcome.code == 0 && outcome.output.contains("resumed at step"), "\(outcome)")
      #expect(try run.finalState() == whole.finalState(), "killed after step \(step)")
      #expect(try run.losses().map(\.step) == Array(1...100))
    }

    /// If this fails, the contrast or a decision for a whole batch depends on how ranks share the batch.
    @Test("One to three ranks reach the same losses")
    func rankCounts() throws {
      let one = run("1", .float32)
      #expect(try one.run(ranks: nil).code == 0)
      for ranks in [2, 3] {
        let many = run("\(ranks)", .float32)
        #expect(try many.run(ranks: ranks).code == 0)
        expectEqualLosses(try many.losses(), try one.losses())
      }
    }
  }
}

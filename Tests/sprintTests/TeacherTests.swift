import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// `sprint import` of pictures that a teacher sees.
  @Suite struct TeacherTests {
    private let folder: TemporaryFolder

    /// Pictures for two pieces, and a small DINOv2.
    init() throws {
      folder = try TemporaryFolder()
      try FileManager.default.createDirectory(atPath: folder.file("pictures"), withIntermediateDirectories: true)
      for index in 0..<70 {
        try Picture(width: 8, height: 9, fill: UInt8(index)).writePNG(to: folder.file("pictures/\(index).png"))
      }
      var random = Randomness()
      try writeTensors(
        NaiveDINOv2(width: 64, depth: 4, hidden: 16, grid: 2, patch: 14, &random).written,
        to: folder.file("weights.safetensors"))
    }

    private func arguments(_ out: String) -> [String] {
      let teacher = "dino=\(folder.file("weights.safetensors"))"
      return [
        "import", "--from", "images", folder.file("pictures"), folder.file(out), "--side", "8", "--flip", "--tokens",
        "2", "--features", teacher, "--attention", teacher,
      ]
    }

    @Test("After a kill the same command, on two ranks, makes the same bytes; inspect names the teacher")
    func resuming() throws {
      let whole = try SprintCommand(SprintCommand.sprint, arguments("whole.h5"), in: folder).wait(60)
      #expect(whole.code == 0 && whole.output.contains("/class_tokens_flip/dino"), "\(whole)")
      let killed = try SprintCommand(
        SprintCommand.sprint, arguments("out.h5"),
        environment: [
          "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_FAULT": "kill:pwrite:out.h5.progress:3",
          "SPRINT_FAULT_FIRED": folder.file("fired"),
        ], in: folder)
      #expect(try killed.wait(60).code == SIGKILL)
      let again = try SprintCommand(
        "/usr/bin/env",
        ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "2", SprintCommand.sprint] + arguments("out.h5"),
        in: folder
      ).wait(60)
      #expect(again.code == 0, "\(again)")
      let (found, expected) = (folder.file("out.h5"), folder.file("whole.h5"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: found)) == Data(contentsOf: URL(fileURLWithPath: expected)))
      let inspected = try SprintCommand(SprintCommand.sprint, ["inspect", found], in: folder).wait(60)
      for what in ["features", "class tokens", "attention"] {
        #expect(inspected.output.contains("  \(what) of dino (mirrored images too)\n"), "\(inspected)")
      }
      #expect(!inspected.output.contains("not read"), "\(inspected)")
    }

    @Test("A teacher without a name is a mistake that shows how to name one")
    func mistake() throws {
      let outcome = try SprintCommand(
        SprintCommand.sprint, arguments("a.h5") + ["--features", "weights.safetensors"], in: folder
      ).wait(60)
      #expect(outcome.code == 64 && outcome.errors.contains("expected NAME=WEIGHTS"), "\(outcome)")
    }
  }
}

import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Numbers that a user or a file gives: each that cannot work is one line, and none ends the process by a signal.
  @Suite struct NumberTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, in: folder).wait(60)
    }

    /// Runs a line of bash in which `$sprint` is the program.
    private func bash(_ line: String) throws -> SprintCommand.Outcome {
      try SprintCommand(
        "/bin/bash", ["-c", line], environment: ["sprint": SprintCommand.sprint, "run": folder.file("run")], in: folder
      ).wait(60)
    }

    private func expectLine(_ outcome: SprintCommand.Outcome, code: Int32, _ text: String, _ what: String) {
      let lines = outcome.errors.split(separator: "\n").filter { !$0.contains("OPENBLAS_CORETYPE") }
      #expect(outcome.code == code && lines.count == 1 && lines[0].contains(text), "\(what): \(outcome)")
    }

    @Test(
      "train and plan refuse a number beyond its bounds in one line that names the key",
      arguments: [
        ["stages[0].steps=9223372036854775807", "stages[1].steps=9223372036854775807"],
        ["stages[0].steps=9223372036854775800"], ["stages[0].warmup=9223372036854775807"], ["model.width=10000000000"],
        ["model.depth=[1,9223372036854775807,1]"], ["checkpoint.keep=9223372036854775807"], ["model.mlp_ratio=1e300"],
        ["threads=1000000"], ["samples.classes=[9223372036854775807]"], ["samples.per_class=1e12"],
        ["alignment={features: a, feature_width: 9223372036854775807, after_block: 1}"],
        ["validation.samples=9223372036854775807"], ["stages[0].batch=9223372036854775807"],
      ])
    func bounds(settings: [String]) throws {
      let options = settings.flatMap { ["--set", $0] }
      let key = settings[0].split(separator: "=")[0].replacing("alignment", with: "alignment.feature_width")
      for command in [
        ["plan", "configs/digits.yaml", "--gflops", "100"],
        ["train", "--config", "configs/digits.yaml", "--run", folder.file("run")],
      ] { expectLine(try sprint(command + options), code: 2, "`\(key)`", "\(command[0]) \(settings)") }
    }

    @Test("Options of commands have bounds too")
    func options() throws {
      for (arguments, text) in [
        (["sample", "--run", "none", "--out", folder.file("a.png"), "--count", "1000000000000"], "--count"),
        (["plan", "configs/digits.yaml", "--ranks", "9223372036854775807"], "--ranks"),
        (["plan", "configs/digits.yaml", "--threads", "9223372036854775807"], "--threads"),
      ] { expectLine(try sprint(arguments), code: 2, text, "\(arguments)") }
    }

    @Test(
      "A configuration larger than the machine is refused before memory is taken, with the word memory and code 1",
      arguments: [
        "model.width=65536",
        "model={width: 1024, heads: 8, depth: [1000,1000,1000], side: 8, channels: 1, classes: 10}",
        "threads=4096",
      ])
    func tooLarge(setting: String) throws {
      let outcome = try sprint([
        "train", "--config", "configs/digits.yaml", "--run", folder.file("run"), "--set", setting,
      ])
      expectLine(outcome, code: 1, "memory: ", setting)
      // plan has an option for the threads of a rank and computes with so many itself.
      guard setting.hasPrefix("model") else { return }
      let plan = try sprint(["plan", "configs/digits.yaml", "--gflops", "100", "--set", setting])
      #expect(plan.code == 0 && plan.output.contains(": too little; use a smaller batch"), "\(plan)")
    }

    @Test("Limits of the process are compared too; OpenBLAS would try for ever to get its buffers")
    func processLimits() throws {
      let train = "exec $sprint train --config configs/digits.yaml --run $run --set threads=2"
      for (limit, kilobytes) in [("-v", 450_000), ("-v", 600_000), ("-v", 760_000), ("-d", 300_000)] {
        let line = "ulimit \(limit) \(kilobytes) && \(train)"
        expectLine(try bash(line), code: 1, "its limit (ulimit \(limit)) leaves", line)
      }
      let other = "ulimit -v 450000 && exec $sprint machine"
      expectLine(try bash(other), code: 1, "memory: ", other)
    }

    @Test("A run to which the limits leave just enough is trained: the comparison does not refuse what fits")
    func enough() throws {
      let settings = ["steps=2", "batch=8"].flatMap { ["stages[0].\($0)", "stages[1].\($0)"] }.map { " --set \($0)" }
      let line =
        "ulimit -v 1100000 -d 800000 && exec $sprint train --config configs/digits.yaml --run $run --set threads=2"
      let outcome = try bash(line + settings.joined())
      #expect(outcome.code == 0, "\(outcome)")
    }

    @Test("What standard output loses is an error with code 1; a pipe that its reader closes is none")
    func lostOutput() throws {
      let plan = "$sprint plan configs/digits.yaml --gflops 100 --json"
      expectLine(try bash("\(plan) > /dev/full"), code: 1, "standard output", "full")
      let train = "$sprint train --config configs/digits.yaml --run $run --until 1 --set threads=1"
      #expect(try bash("\(train) > /dev/full").code == 0, "a run that is done is done; its log has what was printed")
      #expect(try bash("set -o pipefail; \(plan) | true").errors.isEmpty)
    }

    @Test("Without /proc sprint says so instead of printing its help and succeeding", .enabled(if: getuid() == 0))
    func withoutProc() throws {
      guard try bash("unshare -m umount -l /proc").code == 0 else { return }
      let line = "unshare -m bash -c 'umount -l /proc; exec $sprint train --config configs/digits.yaml --run $run'"
      expectLine(try bash(line), code: 2, "/proc", "train")
    }

    @Test("A log with absurd numbers still gives a report")
    func report() throws {
      let run = folder.file("run")
      try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
      let lines = [
        #"{"step": 1, "stage": "a", "loss": 1e308, "seconds": 1e308, "skipped": 1e300, "images_per_second": 1e308}"#,
        #"{"step": 9223372036854775807, "stage": "a", "loss": -1e308, "seconds": 1e308}"#,
        #"{"step": -5, "stage": "a", "loss": 1}"#, #"{"step": 3000000000, "stage": "a", "loss": 1, "seconds": 1}"#,
        #"{"step": 3000000000, "validation_loss": 0.5}"#,
      ]
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: "\(run)/metrics.jsonl"))
      let outcome = try sprint(["report", run])
      #expect(outcome.code == 0, "\(outcome)")
      let page = try String(contentsOfFile: "\(run)/report.html", encoding: .utf8)
      #expect(page.contains("0.5000 at step 3000000000") && page.contains("step 3000000000, stage a"))
    }

    @Test("Step numbers beyond 32 bits are printed as they are, and the newest checkpoint is the one that goes on")
    func largeSteps() throws {
      let run = ShortRun("large", in: folder, ["stages[0].steps=4000000000", "stages[1].steps=1"])
      #expect(try run.run(ranks: nil, ["--until", "10"]).code == 0)
      // The checkpoint of step 10 becomes one of step 2,999,999,990.
      let script = """
        import h5py, hashlib, json, os
        f = '\(run.checkpoints)/step-000000010.h5'; g = '\(run.checkpoints)/step-2999999990.h5'
        os.remove(f[:-3] + '.manifest.json'); os.rename(f, g)
        with h5py.File(g, 'a') as h:
            for name in ['step', 'stage_step', 'draws']: h.attrs[name] = np.float64([2999999990.0])
        d = open(g, 'rb').read()
        t = '{\\n  "file" : "%s",\\n  "fingerprint" : {\\n    "sha256" : "%s",\\n    "size" : %d\\n  }\\n}'
        open(g[:-3] + '.manifest.json', 'w').write(t % (g.split('/')[-1], hashlib.sha256(d).hexdigest(), len(d)))
        """
      guard Python.has("numpy", "h5py") else { return }
      let made = try Python.run(["-c", "import numpy as np\n" + script])
      try #require(made.code == 0, "\(made)")
      let outcome = try run.run(ranks: nil, ["--until", "3000000000"])
      #expect(outcome.code == 0 && outcome.output.contains("step 3000000000/4000000001  masked"), "\(outcome)")
      #expect(FileManager.default.fileExists(atPath: "\(run.checkpoints)/step-3000000000.manifest.json"))
    }
  }
}

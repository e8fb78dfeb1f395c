import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Several processes under a real mpirun.
  @Suite(.timeLimit(.minutes(5))) struct RanksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("One process and mpirun with one to four ranks reach the same losses, and the roster names ranks and hosts")
    func rankCounts() throws {
      let alone = ShortRun("alone", in: folder)
      #expect(try alone.run(ranks: nil).code == 0)
      let expected = try alone.losses()
      #expect(expected.count == 100)
      for ranks in 1...4 {
        let run = ShortRun("\(ranks)", in: folder)
        let outcome = try run.run(ranks: ranks)
        #expect(outcome.code == 0 && outcome.output.contains("\(ranks) rank"), "\(outcome)")
        #expect(ranks == 1 || outcome.output.contains("rank \(ranks - 1): "))
        #expect(ranks < 3 || outcome.output.contains("warning: ") || ProcessInfo.processInfo.processorCount > ranks)
        expectEqualLosses(try run.losses(), expected)
      }
    }

    @Test(
      "Two equal runs on three ranks have the same bits; without shards and with a bf16 wire only the rounding differs")
    func repeatability() throws {
      let (first, second) = (ShortRun("a", in: folder), ShortRun("b", in: folder))
      for run in [first, second] { #expect(try run.run(ranks: 3).code == 0) }
      #expect(try first.finalState() == second.finalState())
      let plain = ShortRun("plain", in: folder, ["distribution={sharded: false, wire: bf16, timeout: 20}"])
      #expect(try plain.run(ranks: 3).code == 0)
      for (a, b) in zip(try plain.losses().prefix(20), try first.losses()) {
        #expect(abs(a.loss - b.loss) < 0.02 * b.loss)
      }
    }

    @Test("Where no process may read another one's memory, ranks reach the same losses without a word from OpenMPI")
    func singleCopy() throws {
      let (free, forbidden) = (ShortRun("free", in: folder), ShortRun("forbidden", in: folder))
      #expect(try free.run(ranks: 2, ["--until", "5"]).code == 0)
      let outcome = try forbidden.start(
        ranks: 2, ["--until", "5"],
        environment: ["LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_FAULT_COPY": "1"]
      ).wait(120)
      #expect(outcome.code == 0 && !(outcome.output + outcome.errors).contains("Read -1"), "\(outcome)")
      #expect(try forbidden.losses().map(\.loss) == free.losses().map(\.loss))
    }

    @Test("On two ranks updates are skipped in a row only so long, and restart.sh does not start such a run again")
    func skippedForEver() throws {
      let run = ShortRun("s", in: folder, ["stages[0].learning_rate=1.0e30", "non_finite=skip"])
      let options = ["--run", run.path] + run.settings.filter { $0 != "threads=1" }.flatMap { ["--set", $0] }
      let outcome = try SprintCommand(
        "/usr/bin/env",
        ["launch/restart.sh", run.path, "launch/mpirun.sh", "configs/digits.yaml", "2", "1"] + options, in: folder
      ).wait(120)
      #expect(outcome.code == 1 && outcome.errors.contains("stopped after 50 such steps in a row"), "\(outcome)")
      #expect(
        !outcome.errors.contains("starting again") && outcome.errors.contains("--resume auto --set"), "\(outcome)")
    }

    @Test("If all ranks find the same mistake, one line reports it, and the exit code is 2")
    func mistakes() throws {
      for settings in [["data.train=[missing.h5]"], ["stages[0].batch=1"], ["model.width=33"]] {
        let outcome = try ShortRun("m", in: folder, settings).run(ranks: 2)
        let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("sprint: ") }
        #expect(outcome.code == 2 && lines.count == 1, "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("m")))
      }
    }

    @Test("Ranks draw the same file as one process; after an interruption the same command continues")
    func sampling() throws {
      let run = ShortRun("r", in: folder)
      #expect(try run.run(ranks: 2, ["--until", "10"]).code == 0)
      func arguments(_ name: String, count: Int, steps: Int) -> [String] {
        ["sample", "--run", run.path, "--count", "\(count)", "--steps", "\(steps)", "--out", folder.file(name)]
      }
      func mpirun(_ ranks: Int, _ arguments: [String]) throws -> SprintCommand {
        try SprintCommand(
          "/usr/bin/env",
          ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "\(ranks)", SprintCommand.sprint] + arguments,
          in: folder)
      }
      let alone = try SprintCommand(SprintCommand.sprint, arguments("one.h5", count: 1500, steps: 20), in: folder)
      #expect(try alone.wait(60).code == 0)
      let expected = try Data(contentsOf: URL(fileURLWithPath: folder.file("one.h5")))
      #expect(try mpirun(3, arguments("three.h5", count: 1500, steps: 20)).wait(60).code == 0)
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("three.h5"))) == expected)

      let interrupted = try mpirun(2, arguments("two.h5", count: 1500, steps: 20))
      let part = folder.file("two.h5.part")
      let deadline = Date(timeIntervalSinceNow: 30)
      while (try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int ?? 0) ?? 0 < 1000, Date() < deadline
      {
        usleep(1_000)
      }
      interrupted.signal(SIGUSR1)
      let outcome = try interrupted.wait(30)
      #expect(outcome.code == 75 && outcome.errors.contains("run the same command again"), "\(outcome)")
      let last = try SprintCommand(SprintCommand.sprint, arguments("two.h5", count: 1500, steps: 20), in: folder).wait(
        60)
      #expect(last.code == 0 && last.output.contains("are there already"), "\(last)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("two.h5"))) == expected)
      #expect(!FileManager.default.fileExists(atPath: part))
    }

    @Test("launch/mpirun.sh trains; launch/restart.sh starts again after crashes and gives up without progress")
    func launchers() throws {
      let run = ShortRun("w", in: folder, batch: ShortRun.slowBatch)
      let options = ["--run", run.path] + run.settings.filter { $0 != "threads=1" }.flatMap { ["--set", $0] }
      let wrapped = ["launch/mpirun.sh", "configs/digits.yaml", "2", "1"] + options
      let command = try SprintCommand("/usr/bin/env", ["launch/restart.sh", run.path] + wrapped, in: folder)
      for step in [15, 45] {
        try run.waitForStep(step, command)
        let ranks = Processes.ranks(of: run.path)
        #expect(ranks.count == 2)
        if let pid = ranks[1] { kill(pid, SIGKILL) }
        Processes.expectGone(run.path, within: 10)
      }
      let outcome = try command.wait(90)
      #expect(outcome.code == 0 && outcome.errors.split(separator: "\n").count { $0.hasPrefix("restart.sh: ") } == 2)
      #expect(try run.finalState() == ShortRun.wholeState(ranks: 2, batch: ShortRun.slowBatch))

      let hopeless = try SprintCommand(
        "/usr/bin/env", ["launch/restart.sh", "-k", "2", folder.file("none"), "/bin/sh", "-c", "kill -9 $$"], in: folder
      )
      let end = try hopeless.wait(30)
      #expect(end.code == 137 && end.errors.contains("gave up after 2 failures"), "\(end)")
      let mistaken = try SprintCommand(
        "/usr/bin/env", ["launch/restart.sh", folder.file("none"), "launch/mpirun.sh", "missing.yaml"], in: folder)
      #expect(try mistaken.wait(30).code == 2)
    }

    @Test(
      "launch/slurm.sbatch passes signals on and queues itself again unless the run is done, mistaken or gets nowhere"
    )
    func slurm() throws {
      // Stand-ins for the commands of Slurm: srun starts the command, scontrol writes down its arguments.
      let queue = folder.file("queue")
      for (name, text) in [
        ("srun", "while [ \"${1#--}\" != \"$1\" ]; do shift; done\nexec \"$@\"\n"),
        ("scontrol", "echo \"$@\" >>\(queue)\n"),
      ] {
        try Data("#!/bin/sh\n\(text)".utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        chmod(folder.file(name), 0o755)
      }
      let run = ShortRun("s", in: folder, batch: ShortRun.slowBatch)
      func submit(_ config: String, _ options: [String]? = nil) throws -> SprintCommand {
        let options = options ?? ["--run", run.path] + run.settings.flatMap { ["--set", $0] }
        return try SprintCommand(
          "/bin/bash", ["launch/slurm.sbatch", config] + options,
          environment: [
            "PATH": "\(folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")", "SLURM_JOB_ID": "42",
            "SLURM_CPUS_PER_TASK": "1", "SLURM_SUBMIT_DIR": folder.path, "SPRINT": SprintCommand.sprint,
          ], in: folder)
      }
      func queued() -> Int {
        let text = (try? String(contentsOfFile: queue, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").count { $0 == "requeue 42" }
      }
      let first = try submit("configs/digits.yaml")
      try run.waitForStep(15, first)
      first.signal(SIGUSR1)
      #expect(try first.wait(30).code == 0 && queued() == 1 && !run.manifests().isEmpty)
      let second = try submit("configs/digits.yaml")
      try run.waitForStep(40, second)
      for pid in Processes.ranks(of: run.path).values { kill(pid, SIGKILL) }
      #expect(try second.wait(30).code == 0 && queued() == 2)
      #expect(try submit("configs/digits.yaml").wait(60).code == 0 && queued() == 2)
      #expect(try run.losses().map(\.step) == Array(1...100))
      #expect(try submit("missing.yaml").wait(30).code == 2 && queued() == 2)
      // Too little memory is the same at every start.
      let hopeless = ["--run=\(folder.file("hopeless"))", "--set", "model.width=65536"]
      for tries in 1...2 {
        #expect(try submit("configs/digits.yaml", hopeless).wait(30).code == 0 && queued() == 2 + tries)
      }
      let end = try submit("configs/digits.yaml", hopeless).wait(30)
      #expect(end.code == 1 && queued() == 4 && end.errors.contains("memory: "), "\(end)")
      #expect(end.errors.contains("gave up after 3 starts in a row without a newer checkpoint"))
      #expect(!FileManager.default.fileExists(atPath: folder.file("slurm-42.failures")))
    }
  }
}

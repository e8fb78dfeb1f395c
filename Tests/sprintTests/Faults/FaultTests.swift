import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Faults of processes and disks. After each fault the run continues from its newest whole checkpoint and ends with
  /// the same bits as a run without a fault.
  @Suite(.timeLimit(.minutes(10))) struct FaultTests {
    private let folder: TemporaryFolder
    private static let injector = SprintCommand.build + "/libFaultInjector.so"

    init() throws { folder = try TemporaryFolder() }

    /// Continues a run to its end and expects the final state `expected`.
    private func expectSameEnd(_ run: ShortRun, ranks: Int?, _ expected: Data, _ what: String) throws {
      let outcome = try run.run(ranks: ranks)
      #expect(outcome.code == 0, "\(what): \(outcome)")
      #expect(try run.finalState() == expected, "\(what): the final state differs")
      #expect(try run.losses().map(\.step) == Array(1...100), "\(what): steps not logged exactly once")
      let left = try FileManager.default.contentsOfDirectory(atPath: run.checkpoints).filter {
        $0.hasSuffix(".partial")
      }
      #expect(left.isEmpty, "\(what): partial files are left: \(left)")
      #expect(outcome.output.components(separatedBy: "stage 2 of 2").count <= 2, "\(what): switched more than once")
    }

    /// Returns the environment that makes the injector act, and the file that it creates when it does.
    private func fault(_ plan: String) -> (environment: [String: String], mark: String) {
      let mark = folder.file("fired-\(UUID().uuidString)")
      return (["LD_PRELOAD": Self.injector, "SPRINT_FAULT": plan, "SPRINT_FAULT_FIRED": mark], mark)
    }

    @Test("A run that was killed in its first save, before the manifest, starts from step 0 and says so")
    func killedInTheFirstSave() throws {
      let expected = try ShortRun.wholeState(ranks: nil)
      let run = ShortRun("first", in: folder)
      let (environment, mark) = fault("kill:rename:step-000000010.manifest.json:1")
      let killed = try run.start(ranks: nil, environment: environment).wait(60)
      #expect(killed.code == SIGKILL && FileManager.default.fileExists(atPath: mark), "\(killed)")
      #expect(FileManager.default.fileExists(atPath: "\(run.checkpoints)/step-000000010.h5"))
      try expectSameEnd(run, ranks: nil, expected, "killed in the first save")
    }

    @Test("A run whose checkpoints are gone or broken goes on once one is restored, as the message says")
    func restoring() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "10"]).code == 0)
      let (kept, all) = (folder.file("kept"), FileManager.default)
      try all.moveItem(atPath: run.checkpoints, toPath: kept)
      let gone = try run.run(ranks: nil)
      #expect(gone.code == 2 && gone.errors.contains("restore one, or name another folder with --run"), "\(gone)")
      try all.createDirectory(atPath: run.checkpoints, withIntermediateDirectories: true)
      for name in try all.contentsOfDirectory(atPath: kept) {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(kept)/\(name)"))
        try bytes.dropLast(7).write(to: URL(fileURLWithPath: "\(run.checkpoints)/\(name)"))
      }
      let broken = try run.run(ranks: nil)
      #expect(broken.code == 2 && broken.errors.contains("restore one, or name another folder with --run"), "\(broken)")
      try all.removeItem(atPath: run.checkpoints)
      try all.moveItem(atPath: kept, toPath: run.checkpoints)
      #expect(try run.run(ranks: nil, ["--until", "11"]).code == 0)
      #expect(try run.losses().map(\.step) == Array(1...11))
    }

    /// Starts a run on a small file system of its own, which is full until `seconds` have passed, or for ever.
    private func startOnFullDisk(_ run: ShortRun, ranks: Int?, until seconds: Int?, patience: Int) throws
      -> SprintCommand.Outcome
    {
      let relief = seconds.map { "(sleep \($0); rm '\(run.path)/filler') > /dev/null 2>&1 &" } ?? ""
      let launcher = ranks.map { "mpirun --allow-run-as-root --oversubscribe -np \($0) " } ?? ""
      let arguments = (run.arguments + ["--patience", "\(patience)"]).map { "'\($0)'" }.joined(separator: " ")
      let line = """
        mkdir -p '\(run.path)' && mount -t tmpfs -o size=64m none '\(run.path)' || exit 99
        dd if=/dev/zero of='\(run.path)/filler' bs=1M count=65 2> /dev/null
        \(relief)
        \(launcher)'\(SprintCommand.sprint)' \(arguments)
        """
      return try SprintCommand("/usr/bin/env", ["unshare", "-m", "bash", "-c", line], in: folder).wait(120)
    }

    @Test(
      "A disk that is full at the start is no mistake: sprint tries again for its patience, then says to start again",
      .tags(.waits), .enabled(if: getuid() == 0), arguments: [nil, 2])
    func fullAtTheStart(ranks: Int?) throws {
      let run = ShortRun("full \(ranks ?? 1)", in: folder)
      let began = ContinuousClock.now
      let lost = try startOnFullDisk(run, ranks: ranks, until: nil, patience: 2)
      guard lost.code != 99 else { return }
      #expect(lost.code == 75 && ContinuousClock.now - began > .seconds(2), "\(lost)")
      #expect(lost.errors.contains("No space left on device; trying again for 2 s"), "\(lost)")
      let patient = try startOnFullDisk(run, ranks: ranks, until: 3, patience: 60)
      #expect(patient.code == 0 && patient.output.contains("done"), "\(patient)")
    }

    @Test(
      "After kill -9 of a rank in a reduction all ranks end within 10 s, and the restarted run ends with the same bits"
    )
    func killedRank() throws {
      let expected = try ShortRun.wholeState(ranks: 3, batch: ShortRun.slowBatch)
      for victim in [0, 1, 2] {
        let run = ShortRun("killed \(victim)", in: folder, batch: ShortRun.slowBatch)
        let command = try run.start(ranks: 3)
        try run.waitForStep(25, command)
        let ranks = Processes.ranks(of: run.path)
        let pid = try #require(ranks[victim])
        // With another rank stopped, the victim waits for it in a reduction.
        if let other = ranks[(victim + 1) % 3] { kill(other, SIGSTOP) }
        usleep(300_000)
        kill(pid, SIGKILL)
        let outcome = try command.wait(10)
        #expect(outcome.code != 0, "\(outcome)")
        Processes.expectGone(run.path, within: 2)
        #expect(try (run.losses().last?.step ?? 0) < 100, "the run was over before the kill")
        try expectSameEnd(run, ranks: 3, expected, "rank \(victim) killed")
      }
    }

    @Test(
      "After kill -9 at any point of a save the newest whole checkpoint loads, and partial files do no harm",
      arguments: [
        "pwrite:step-000000030.h5:1", "pwrite:step-000000030.h5:40", "fsync:step-000000030.h5:1",
        "rename:step-000000030.h5:1", "fsync:/checkpoints:5", "fsync:step-000000030.manifest:1",
        "rename:step-000000030.manifest:1", "unlink:step-000000010.manifest.json:1", "unlink:step-000000010.h5:1",
      ])
    func killedSaver(plan: String) throws {
      let expected = try ShortRun.wholeState(ranks: nil)
      let run = ShortRun("saver", in: folder)
      let (environment, mark) = fault("kill:\(plan)")
      let outcome = try run.start(ranks: nil, environment: environment).wait(60)
      #expect(outcome.code == SIGKILL && FileManager.default.fileExists(atPath: mark), "\(plan) did not fire")
      #expect(run.manifests().count >= 2 || plan.contains("fsync:/"), "\(run.manifests())")
      try expectSameEnd(run, ranks: nil, expected, plan)
    }

    @Test(
      "After USR1 to mpirun, TERM to the wrapper, or several signals all ranks save one step and exit with 75"
    )
    func signals() throws {
      let expected = try ShortRun.wholeState(ranks: 2, batch: ShortRun.slowBatch)
      let run = ShortRun("signals", in: folder, batch: ShortRun.slowBatch)
      let command = try run.start(ranks: 2)
      try run.waitForStep(15, command)
      command.signal(SIGUSR1)
      let stopped = try command.wait(30)
      #expect(stopped.code == 75 && stopped.output.contains("a signal reached rank"), "\(stopped)")
      let saved = try #require(run.manifests().last)
      #expect(try saved.contains("\(run.losses().last?.step ?? -1)."), "\(saved) is not of the last step")

      let options = ["--run", run.path] + run.settings.filter { $0 != "threads=1" }.flatMap { ["--set", $0] }
      let wrapper = try SprintCommand(
        "/usr/bin/env", ["launch/mpirun.sh", "configs/digits.yaml", "2", "1"] + options, in: folder)
      try run.waitForStep(40, wrapper)
      wrapper.signal(SIGTERM)
      let terminated = try wrapper.wait(30)
      #expect(terminated.code == 75 && terminated.output.contains("resumed at step"), "\(terminated)")
      #expect(try run.manifests().last?.contains("\(run.losses().last?.step ?? -1).") == true)

      // Three signals in 60 ms: the later ones arrive during the save.
      let again = try run.start(ranks: 2)
      try run.waitForStep(try (run.losses().last?.step ?? 0) + 8, again)
      for _ in 0..<3 {
        again.signal(SIGUSR1)
        usleep(20_000)
      }
      let twice = try again.wait(30)
      #expect(twice.code == 75 && twice.output.components(separatedBy: "a signal reached rank").count == 2, "\(twice)")
      #expect(try (run.losses().last?.step ?? 100) < 100)
      try expectSameEnd(run, ranks: 2, expected, "signals")
    }

    @Test(
      "An error names a stopped rank within the timeout, every rank ends, and the exit code says to start again",
      .tags(.waits))
    func stoppedRank() throws {
      let settings = ["distribution.timeout=5"]
      let expected = try ShortRun.wholeState(ranks: 3, settings, batch: ShortRun.slowBatch)
      for victim in [0, 2] {
        let run = ShortRun("stopped \(victim)", in: folder, settings, batch: ShortRun.slowBatch)
        let command = try run.start(ranks: 3)
        try run.waitForStep(25, command)
        kill(try #require(Processes.ranks(of: run.path)[victim]), SIGSTOP)
        let began = Date()
        try run.wait(command, for: "rank \(victim) named") { command.errorsSoFar.contains("rank \(victim) on ") }
        #expect(Date().timeIntervalSince(began) < 5.5)
        let outcome = try command.wait(15)
        #expect(outcome.code == 75 && outcome.errors.contains("was silent for"), "\(outcome)")
        Processes.expectGone(run.path, within: 5)
        try expectSameEnd(run, ranks: 3, expected, "rank \(victim) stopped")
      }
    }

    @Test("sprint warns about a slow rank and does not kill it", .tags(.alone))
    func slowRank() throws {
      let run = ShortRun(
        "slow", in: folder, ["distribution.timeout=5", "stages[0].steps=600"], batch: ShortRun.slowBatch)
      let command = try run.start(ranks: 2)
      try run.waitForStep(1, command)
      let pid = try #require(Processes.ranks(of: run.path)[1])
      let deadline = Date(timeIntervalSinceNow: 60)
      while command.isRunning, Date() < deadline, !command.outputSoFar.contains("rank 1 is slow") {
        // The rank is stopped two thirds of the time, a few milliseconds at once. Reading the growing output in every
        // round would leave the rank running for longer than it is stopped.
        for _ in 0..<30 {
          kill(pid, SIGSTOP)
          usleep(2_000)
          kill(pid, SIGCONT)
          usleep(1_000)
        }
      }
      let outcome = try command.wait(60)
      #expect(outcome.code == 0 && outcome.output.contains("rank 1 is slow"), "\(outcome.output.suffix(2000))")
    }

    /// Starts a run on two ranks, of which only the second one has variables of its own.
    private func startTwo(_ run: ShortRun, second environment: [String: String]) throws -> SprintCommand {
      try SprintCommand(
        "/usr/bin/env",
        ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "1", SprintCommand.sprint] + run.arguments
          + [":", "-np", "1"] + environment.flatMap { ["-x", "\($0.key)=\($0.value)"] } + [SprintCommand.sprint]
          + run.arguments, in: folder)
    }

    @Test(
      "sprint names a rank that hangs while it reads and does not kill it; a failed read ends the run with 1",
      .tags(.waits))
    func failingReads() throws {
      let run = ShortRun("hanging", in: folder, ["distribution.timeout=5"], batch: 120)
      let (environment, mark) = fault("hang:pread:configs/data/digits.h5:2000")
      let command = try startTwo(run, second: environment)
      try run.wait(command, for: "rank 1 named") { command.errorsSoFar.contains("rank 1 on ") }
      #expect(FileManager.default.fileExists(atPath: mark))
      #expect(command.errorsSoFar.contains("lives, but the others have waited"))
      usleep(2_000_000)
      #expect(command.isRunning, "it was killed: \(command.errorsSoFar)")
      command.signal(SIGTERM)
      _ = try command.wait(15)
      Processes.expectGone(run.path, within: 5)

      let unreadable = ShortRun("unreadable", in: folder, batch: 120)
      let (failing, fired) = fault("fail:pread:configs/data/digits.h5:2000")
      let outcome = try unreadable.start(ranks: 2, environment: failing).wait(60)
      #expect(FileManager.default.fileExists(atPath: fired))
      #expect(outcome.code == 1 && outcome.errors.contains("digits.h5"), "\(outcome)")
    }

    @Test("A rank whose clock on the wall is set back keeps its heartbeats while it reads", .tags(.waits))
    func clockSetBack() throws {
      let run = ShortRun("clock", in: folder, ["distribution.timeout=5"], batch: 120)
      var (environment, mark) = fault("hang:pread:configs/data/digits.h5:2000")
      // Seen from a wait that has begun, a clock that was ahead is a clock that the kernel has set back.
      environment["SPRINT_FAULT_CLOCK"] = "3600"
      let command = try startTwo(run, second: environment)
      try run.wait(command, for: "rank 1 named") { command.errorsSoFar.contains("rank 1 on ") }
      #expect(FileManager.default.fileExists(atPath: mark))
      #expect(command.errorsSoFar.contains("lives, but the others have waited"), "\(command.errorsSoFar)")
      command.signal(SIGTERM)
      _ = try command.wait(15)
      Processes.expectGone(run.path, within: 5)
    }

    /// If this fails, the teacher's features are read for the rest of a run that has ended its alignment: many times
    /// the bytes of the latents.
    @Test("Features are read only for the steps that are trained with them")
    func features() throws {
      let data = folder.file("aligned.h5")
      try DatasetFile.write(
        data, shape: [200, 1, 8, 8], values: (0..<12800).map { Float($0 % 17) }, labels: (0..<200).map { $0 % 10 },
        features: ("teacher", [200, 16, 4], (0..<12800).map { Float($0 % 13) }))
      let run = ShortRun(
        "aligned", in: folder,
        [
          "data={train: [\(data)]}", "validation={}",
          "alignment={features: teacher, feature_width: 4, projector: 8, after_block: 2, last_step: 10}",
        ], batch: 24)
      // 100 batches and those read ahead in two stages, of 24 latents each, ten batches of features, and the look at
      // all samples before.
      let most = (100 + 2 * 3) * 24 + 10 * 24 + 200
      let (environment, mark) = fault("fail:pread:aligned.h5:\(most + 100)")
      let outcome = try run.start(ranks: nil, environment: environment).wait(60)
      #expect(outcome.code == 0 && !FileManager.default.fileExists(atPath: mark), "\(outcome.errors)")
      #expect(try run.losses().count == 100)
    }

    /// If this fails, a checkpoint that its writer could not close counts as whole, and no command can open it.
    @Test("A checkpoint whose last bytes cannot be written is no checkpoint")
    func failingClose() throws {
      let settings = ["stages[0].steps=30", "stages[1].steps=1", "checkpoint.background=false"]
      func outcome(failingFrom count: Int) throws -> (fired: Bool, run: ShortRun, outcome: SprintCommand.Outcome) {
        let run = ShortRun("from \(count)", in: folder, settings)
        let (environment, mark) = fault("fail:pwrite:step-000000030.h5:\(count)")
        let outcome = try run.start(ranks: nil, ["--until", "30"], environment: environment).wait(60)
        return (FileManager.default.fileExists(atPath: mark), run, outcome)
      }
      var (fires, tooMany) = (1, 2000)
      while tooMany - fires > 1 {
        let middle = (fires + tooMany) / 2
        if try outcome(failingFrom: middle).fired { fires = middle } else { tooMany = middle }
      }
      #expect(fires > 100 && tooMany < 2000)
      // The very last writes come while the library closes the file.
      for count in [fires - 1, fires] {
        let (_, run, outcome) = try outcome(failingFrom: count)
        #expect(outcome.code == 1 && outcome.errors.contains("the last checkpoint was not written"), "\(outcome)")
        #expect(run.manifests().last == "step-000000020.manifest.json")
      }
    }

    @Test(
      "After a failed write older checkpoints stay, a message says why, and training continues or stops as configured")
    func failingWrites() throws {
      for plan in ["pwrite:step-000000030.h5:3", "fsync:step-000000030.h5:1", "rename:step-000000030.manifest:1"] {
        for policy in ["continue", "stop"] {
          let run = ShortRun(
            "\(plan.prefix(5)) \(policy)", in: folder,
            ["checkpoint.on_failure=\(policy)", "checkpoint.background=\(policy == "continue")"])
          let (environment, mark) = fault("fail:\(plan)")
          let outcome = try run.start(ranks: 2, environment: environment).wait(60)
          let what = "\(plan), \(policy): \(outcome.output.suffix(1500)) \(outcome.errors)"
          #expect(FileManager.default.fileExists(atPath: mark), "\(plan) did not fire")
          #expect(
            outcome.output.contains("no checkpoint was written: ") && outcome.output.contains("000000030"), "\(what)")
          if policy == "continue" {
            #expect(outcome.code == 0 && run.manifests().last == "step-000000100.manifest.json", "\(what)")
          } else {
            #expect(outcome.code == 75 && outcome.output.contains("a checkpoint could not be written"), "\(what)")
            #expect(run.manifests().contains("step-000000020.manifest.json"), "\(what)")
          }
          let names = try FileManager.default.contentsOfDirectory(atPath: run.checkpoints)
          #expect(!names.contains { $0.hasPrefix("step-000000030") || $0.hasSuffix(".partial") }, "\(names)")
        }
      }
    }

    @Test(
      "On a full disk older checkpoints stay, training continues, and its end says that the last state is not saved")
    func fullDisk() throws {
      guard geteuid() == 0, mount("-t", "tmpfs", "-o", "size=2m", "tmpfs") else {
        return print("skipped: mounting a small file system needs root")
      }
      defer { _ = command("umount", "-l", folder.file("small")) }
      let run = ShortRun("small/run", in: folder)
      let full = try run.run(ranks: 2)
      #expect(full.code == 1 && full.output.contains("no checkpoint was written: "), "\(full)")
      #expect(full.errors.contains("the last checkpoint was not written") && full.output.contains("step 100/100"))
      let kept = run.manifests()
      #expect(!kept.isEmpty)
      #expect(command(SprintCommand.sprint, "inspect", "\(run.checkpoints)/\(kept[kept.count - 1].prefix(14)).h5"))
      // With more space the run continues from there.
      #expect(mount("-o", "remount,size=60m"))
      #expect(try run.run(ranks: 2).code == 0)
      #expect(try run.finalState() == ShortRun.wholeState(ranks: 2))

      #expect(mount("-o", "remount,ro"))
      let unwritable = try ShortRun("small/other", in: folder).run(ranks: 2)
      #expect(unwritable.code == 2 && unwritable.errors.contains("Read-only file system"), "\(unwritable)")
    }

    @Test(
      "A run that is killed around the switch of stages, and again right after the restart, switches exactly once",
      arguments: [
        "pwrite:step-000000060.h5:1", "rename:step-000000060.h5:1", "rename:step-000000060.manifest:1",
        "unlink:step-000000030.manifest.json:1", "pwrite:step-000000070.h5:1",
      ])
    func stageSwitch(plan: String) throws {
      let settings = ["stages[1].start_from=ema"]
      let expected = try ShortRun.wholeState(ranks: 2, settings, batch: ShortRun.slowBatch)
      let run = ShortRun("switch", in: folder, settings, batch: ShortRun.slowBatch)
      let (environment, mark) = fault("kill:\(plan)")
      let killed = try run.start(ranks: 2, environment: environment).wait(60)
      #expect(killed.code != 0 && FileManager.default.fileExists(atPath: mark), "\(plan) did not fire")
      Processes.expectGone(run.path, within: 10)
      // The second kill comes at the first logged step after the restart.
      let before = try run.losses().count
      let restarted = try run.start(ranks: 2)
      let deadline = Date(timeIntervalSinceNow: 30)
      var pid: Int32?
      while Date() < deadline, restarted.isRunning {
        pid = pid ?? Processes.ranks(of: run.path)[0]
        if let pid, restarted.outputSoFar.contains("resumed at"), restarted.outputSoFar.contains("  loss ") {
          kill(pid, SIGKILL)
          break
        }
        usleep(500)
      }
      #expect(try restarted.wait(10).code != 0, "the second kill came too late")
      Processes.expectGone(run.path, within: 10)
      #expect(before > 0)
      try expectSameEnd(run, ranks: 2, expected, plan)
    }

    private func mount(_ arguments: String...) -> Bool {
      let point = folder.file("small")
      try? FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
      return command(["mount"] + arguments + [point])
    }

    private func command(_ arguments: String...) -> Bool { command(arguments) }

    private func command(_ arguments: [String]) -> Bool {
      let outcome = try? SprintCommand("/usr/bin/env", arguments, in: folder).wait(30)
      return outcome?.code == 0
    }
  }
}

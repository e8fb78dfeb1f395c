import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Two processes that want the same folder or file: the second one is refused, the first one's result is undisturbed.
  @Suite(.timeLimit(.minutes(10))) struct LockTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func start(_ arguments: [String], fault: String? = nil) throws -> SprintCommand {
      try SprintCommand(SprintCommand.sprint, arguments, environment: environment(fault), in: folder)
    }

    private func environment(_ fault: String?) -> [String: String] {
      guard let fault else { return [:] }
      return [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_FAULT": fault,
        "SPRINT_FAULT_FIRED": folder.file("fired"),
      ]
    }

    private func waitForFile(_ name: String, _ command: SprintCommand) throws {
      let deadline = Date(timeIntervalSinceNow: 30)
      while !exists(name), Date() < deadline, command.isRunning { usleep(1000) }
      try #require(exists(name), "never saw \(name): \(command.errorsSoFar)")
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.file(name)) }
    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }

    /// Sleeps for a random time of up to about `seconds`.
    private func pause(_ random: inout Randomness, _ seconds: Float) {
      usleep(UInt32(min(1, abs(random.normal(1)[0]) / 2) * seconds * 1e6))
    }

    private func expectRefused(_ outcome: SprintCommand.Outcome, by owner: Int32?, _ option: String) {
      #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      #expect(outcome.errors.contains("in use by process \(owner.map { "\($0) on host " } ?? "")"), "\(outcome)")
      #expect(outcome.errors.contains(option), "\(outcome)")
    }

    /// One process succeeds; the other one ends with one line that holds one of `reasons`.
    private func expectOneWinner(_ outcomes: [SprintCommand.Outcome], _ reasons: [String]) {
      #expect(outcomes.map(\.code).sorted() == [0, 2], "\(outcomes)")
      guard let loser = outcomes.first(where: { $0.code != 0 }) else { return }
      #expect(loser.errors.split(separator: "\n").count == 1, "\(loser)")
      #expect(reasons.contains { loser.errors.contains($0) }, "\(loser)")
    }

    @Test("A second process in a run's folder is refused at any moment, and the first one ends in the same bits")
    func runFolder() throws {
      let expected = try ShortRun.wholeState(ranks: nil, batch: ShortRun.slowBatch)
      var random = Randomness("moments of the second process")
      var refused = 0
      for attempt in 0..<10 {
        let run = ShortRun("shared \(attempt)", in: folder, batch: ShortRun.slowBatch)
        let first = try run.start(ranks: nil)
        try run.waitForStep(1, first)
        pause(&random, 0.3)
        // The first process stands still, so that it cannot end before the second one looks.
        first.signal(SIGSTOP)
        if try run.losses().last?.step ?? 0 < 100 {
          expectRefused(try run.start(ranks: nil).wait(20), by: first.pid, "--run")
          refused += 1
        }
        first.signal(SIGCONT)
        #expect(try first.wait(120).code == 0)
        #expect(try run.finalState() == expected && run.losses().map(\.step) == Array(1...100))
      }
      #expect(refused > 0)
    }

    @Test("Of two processes that begin a run at about the same moment one trains, and the run is whole")
    func sameMoment() throws {
      let expected = try ShortRun.wholeState(ranks: nil)
      var random = Randomness("delays of the second process")
      for attempt in 0..<10 {
        let run = ShortRun("begun \(attempt)", in: folder)
        let first = try run.start(ranks: nil)
        pause(&random, attempt % 2 == 0 ? 0.005 : 0.1)
        let both = [first, try run.start(ranks: nil)]
        let outcomes = try both.map { try $0.wait(120) }
        expectOneWinner(outcomes, ["in use by process", "already holds a run"])
        #expect(try run.finalState() == expected && run.losses().map(\.step) == Array(1...100))
      }
    }

    @Test("After kill -9 the folder is free again, and the next process removes what the trainer left, nothing else")
    func killed() throws {
      let run = ShortRun("killed", in: folder)
      let first = try run.start(ranks: nil)
      try run.waitForStep(15, first)
      first.signal(SIGKILL)
      #expect(try first.wait(10).code == SIGKILL)
      let own = [
        "killed/checkpoints/step-000000010.h5.elsewhere.9.ff.partial", "killed/checkpoints/step-000000010.h5.partial",
        "killed/samples/step-000000010.png.elsewhere.9.ff.partial", "killed/config.yaml.elsewhere.9.ff.partial",
      ]
      let others = ["killed/set.h5.partial", "killed/set.h5.progress", "killed/report.html.elsewhere.9.ff.partial"]
      for name in own + others { try Data().write(to: URL(fileURLWithPath: folder.file(name))) }
      #expect(try run.run(ranks: nil).code == 0)
      #expect(own.allSatisfy { !exists($0) } && others.allSatisfy(exists))
    }

    @Test(
      "The refusal names the host of the owner, and kill -9 frees the folder for another host",
      .enabled(if: getuid() == 0, "skipped: another host name needs root"))
    func otherHost() throws {
      let run = ShortRun("far", in: folder, ["stages[1].steps=100000"])
      // One kernel with two host names, as two hosts with a shared folder see each other.
      let script = "echo sprint-far > /proc/sys/kernel/hostname && exec \"$0\" \"$@\""
      let far = try SprintCommand(
        "/usr/bin/env", ["unshare", "--uts", "/bin/sh", "-c", script, SprintCommand.sprint] + run.arguments, in: folder)
      try run.wait(far, for: "a whole checkpoint") { !run.manifests().isEmpty }
      let refused = try run.start(ranks: nil).wait(20)
      expectRefused(refused, by: far.pid, "--run")
      #expect(refused.errors.contains(" on host sprint-far since 20"), "\(refused)")
      far.signal(SIGKILL)
      #expect(try far.wait(10).code == SIGKILL)
      let next = try run.start(ranks: nil, ["--until", "20"]).wait(60)
      #expect(next.code == 0 && next.output.contains("resumed at step "), "\(next)")
    }

    @Test("With ranks rank zero holds the lock, and every rank of a second job ends")
    func ranks() throws {
      let run = ShortRun("ranks", in: folder)
      let first = try run.start(ranks: 2)
      try run.waitForStep(5, first)
      let owner = try #require(Processes.ranks(of: run.path)[0])
      let second = try run.start(ranks: 2).wait(30)
      #expect(second.code == 2 && second.errors.contains("in use by process \(owner) on host "), "\(second)")
      #expect(try first.wait(60).code == 0)
      #expect(try run.losses().map(\.step) == Array(1...100))
    }

    @Test("A file system without locks is worth a warning, not the end")
    func noLocks() throws {
      let run = ShortRun("lockless", in: folder)
      let outcome = try start(run.arguments + ["--until", "2"], fault: "lockless:fcntl:/lock:1").wait(60)
      #expect(outcome.code == 0 && outcome.output.contains("this file system has no locks"), "\(outcome)")
      let sample = try start(
        ["sample", "--run", run.path, "--count", "2", "--steps", "1", "--out", folder.file("a.png")],
        fault: "lockless:fcntl:a.png.lock:1"
      ).wait(60)
      #expect(sample.code == 0 && sample.errors.contains("this file system has no locks"), "\(sample)")
    }

    @Test("Processes that draw for one file while another one does are refused, the images are those of one process")
    func samples() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "5"]).code == 0)
      func arguments(_ out: String) -> [String] {
        ["sample", "--run", run.path, "--count", "2000", "--steps", "10", "--threads", "1", "--out", folder.file(out)]
      }
      #expect(try start(arguments("alone.npz")).wait(60).code == 0)
      var random = Randomness("moments of the second sampler")
      let first = try start(arguments("shared.npz"))
      try waitForFile("shared.npz.part", first)
      var refused = 0
      for _ in 0..<10 where first.isRunning {
        let second = try start(arguments("shared.npz")).wait(60)
        if second.code == 0 { break }
        expectRefused(second, by: first.pid, "--out")
        refused += 1
        pause(&random, 0.1)
      }
      #expect(refused > 0)
      #expect(try first.wait(60).code == 0)
      #expect(try bytes("shared.npz") == bytes("alone.npz") && !exists("shared.npz.lock"))
    }

    @Test("After kill -9 of the process that draws the next one goes on, and a second one is refused as before")
    func killedSampler() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "5"]).code == 0)
      func arguments(_ out: String) -> [String] {
        ["sample", "--run", run.path, "--count", "400", "--steps", "2", "--threads", "1", "--out", folder.file(out)]
      }
      #expect(try start(arguments("alone.h5")).wait(60).code == 0)
      // The first process stands still after some images, with the lock.
      let first = try start(arguments("shared.h5"), fault: "hang:pwrite:shared.h5.part:200")
      try waitForFile("fired", first)
      expectRefused(try start(arguments("shared.h5")).wait(30), by: first.pid, "--out")
      first.signal(SIGKILL)
      #expect(try first.wait(10).code == SIGKILL)
      let next = try start(arguments("shared.h5")).wait(60)
      #expect(next.code == 0 && next.output.contains("of 400 images are there already"), "\(next)")
      #expect(try bytes("shared.h5") == bytes("alone.h5"))
    }

    private static let hasTools = Python.has("numpy", "h5py", "safetensors", "lmdb")
    private static let missing = Comment(rawValue: Python.lacks("numpy, h5py, safetensors and lmdb"))

    @Test(
      "A second import to one file is refused, before and after pieces are finished; kill -9 frees the file",
      .enabled(if: hasTools, missing), arguments: [2, 3])
    func imports(write: Int) throws {
      // 1400 samples of 32 KB are three pieces.
      let made = try Python.run([
        "Tests/Reference/latent_layouts.py", "make", "repa", folder.file("made"), "--count", "1400",
      ])
      let source = try #require(JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String])
      func arguments(_ out: String) -> [String] { ["import"] + source + [folder.file(out)] }
      #expect(try start(arguments("alone.h5")).wait(60).code == 0)
      let first = try start(arguments("shared.h5"), fault: "hang:pwrite:shared.h5.progress:\(write)")
      try waitForFile("fired", first)
      let (data, progress) = (try bytes("shared.h5.partial"), try bytes("shared.h5.progress"))
      expectRefused(try start(arguments("shared.h5")).wait(30), by: first.pid, "name another file")
      #expect(try bytes("shared.h5.partial") == data && bytes("shared.h5.progress") == progress)
      first.signal(SIGKILL)
      #expect(try first.wait(10).code == SIGKILL)
      #expect(try start(arguments("shared.h5")).wait(60).code == 0)
      #expect(try bytes("shared.h5") == bytes("alone.h5") && !exists("shared.h5.lock"))
    }

    @Test(
      "Of two imports to one file at the same moment one writes it, and the other one disturbs nothing",
      .enabled(if: hasTools, missing))
    func importsAtOnce() throws {
      let made = try Python.run([
        "Tests/Reference/latent_layouts.py", "make", "repa", folder.file("made"), "--count", "300",
      ])
      let source = try #require(JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String])
      #expect(try start(["import"] + source + [folder.file("alone.h5")]).wait(60).code == 0)
      var random = Randomness("delays of the second import")
      for attempt in 0..<10 {
        let arguments = ["import"] + source + [folder.file("\(attempt).h5")]
        let first = try start(arguments)
        pause(&random, 0.05)
        let both = [first, try start(arguments)]
        expectOneWinner(try both.map { try $0.wait(60) }, ["in use by process", "already exists"])
        #expect(try bytes("\(attempt).h5") == bytes("alone.h5"))
      }
    }
  }
}

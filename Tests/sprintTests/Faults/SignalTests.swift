import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Signals and closed pipes: whatever asks a run to stop, its state is saved.
  @Suite struct SignalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
      "HUP and USR2 save a checkpoint like TERM, and the exit code says to start again", arguments: [SIGHUP, SIGUSR2])
    func saves(number: Int32) throws {
      let run = ShortRun("signal \(number)", in: folder)
      let command = try run.start(ranks: nil)
      try run.waitForStep(5, command)
      command.signal(number)
      let outcome = try command.wait(20)
      #expect(outcome.code == 75 && outcome.output.contains("a signal reached rank 0"), "\(outcome)")
      #expect(try run.manifests().last?.contains("\(run.losses().last?.step ?? -1).") == true)
    }

    @Test("TERM in the first moments of a process is not lost: it saves, or there is no run yet")
    func startUp() throws {
      var random = Randomness("moments of TERM")
      for attempt in 0..<12 {
        let run = ShortRun("start \(attempt)", in: folder)
        let command = try run.start(ranks: nil)
        usleep(UInt32(abs(random.normal(1)[0]) * 100_000))
        command.signal(SIGTERM)
        let outcome = try command.wait(20)
        let hasRun = FileManager.default.fileExists(atPath: run.path)
        // Before the first instruction of the program TERM ends it as the system does.
        #expect(outcome.code == 75 || outcome.code == SIGTERM && !hasRun, "\(outcome)")
        if hasRun { #expect(!run.manifests().isEmpty, "\(outcome)") }
      }
    }

    @Test("A second TERM ends a process that hangs while it opens its data")
    func second() throws {
      let fifo = folder.file("fifo.h5")
      #expect(mkfifo(fifo, 0o600) == 0)
      let run = ShortRun("hanging", in: folder, ["data.train=[\(fifo)]"])
      let command = try run.start(ranks: nil)
      usleep(500_000)
      command.signal(SIGTERM)
      usleep(700_000)
      command.signal(SIGTERM)
      let began = Date()
      #expect(try command.wait(5).code == 75 && Date().timeIntervalSince(began) < 1)
    }

    @Test("A reader that goes away ends no run")
    func closedPipe() throws {
      let run = ShortRun("piped", in: folder)
      let arguments = run.arguments.map { "'\($0)'" }.joined(separator: " ")
      let script = "'\(SprintCommand.sprint)' \(arguments) | head -n 1; exit ${PIPESTATUS[0]}"
      let outcome = try SprintCommand("/bin/bash", ["-c", script], in: folder).wait(60)
      #expect(outcome.code == 0 && run.manifests().last == "step-000000100.manifest.json", "\(outcome)")
    }
  }
}

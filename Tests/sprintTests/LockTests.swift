import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Two processes that want the same folder or file: the second one is refused, the first one's result is undisturbed.
  @Suite struct LockTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func expectRefused(_ outcome: SprintCommand.Outcome, _ option: String) {
      #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      #expect(outcome.errors.contains("in use by process") && outcome.errors.contains(option), "\(outcome)")
    }

    @Test("A second process in a run's folder is refused at any moment, and the first one ends in the same bits")
    func runFolder() throws {
      let whole = ShortRun("whole", in: folder)
      #expect(try whole.run(ranks: nil).code == 0)
      var random = Randomness("moments of the second process")
      for attempt in 0..<4 {
        let run = ShortRun("shared \(attempt)", in: folder)
        let first = try run.start(ranks: nil)
        try run.waitForStep(1, first)
        usleep(UInt32(abs(random.normal(1)[0]) * 100_000))
        let second = try run.start(ranks: nil).wait(20)
        if second.code != 0 { expectRefused(second, "--run") }
        #expect(try first.wait(60).code == 0)
        #expect(try run.finalState() == whole.finalState() && run.losses().map(\.step) == Array(1...100))
      }
    }

    @Test("Of two processes that begin a run at the same moment one trains, and the run is whole")
    func sameMoment() throws {
      let whole = ShortRun("whole", in: folder)
      #expect(try whole.run(ranks: nil).code == 0)
      for attempt in 0..<4 {
        let run = ShortRun("begun \(attempt)", in: folder)
        let both = try [run.start(ranks: nil), run.start(ranks: nil)]
        let codes = try both.map { try $0.wait(60).code }.sorted()
        #expect(codes == [0, 2], "\(codes)")
        #expect(try run.finalState() == whole.finalState() && run.losses().map(\.step) == Array(1...100))
      }
    }

    @Test("After kill -9 the folder is free again")
    func killed() throws {
      let run = ShortRun("killed", in: folder)
      let first = try run.start(ranks: nil)
      try run.waitForStep(15, first)
      first.signal(SIGKILL)
      #expect(try first.wait(10).code == SIGKILL)
      #expect(try run.run(ranks: nil).code == 0)
    }

    @Test("Two processes that draw for one file: the second one is refused, the images are those of one process")
    func samples() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "5"]).code == 0)
      func arguments(_ out: String) -> [String] {
        ["sample", "--run", run.path, "--count", "400", "--steps", "20", "--threads", "1", "--out", folder.file(out)]
      }
      let alone = try SprintCommand(SprintCommand.sprint, arguments("alone.npz"), in: folder).wait(60)
      #expect(alone.code == 0, "\(alone)")
      let first = try SprintCommand(SprintCommand.sprint, arguments("shared.npz"), in: folder)
      let deadline = Date(timeIntervalSinceNow: 20)
      while !FileManager.default.fileExists(atPath: folder.file("shared.npz.lock")), Date() < deadline { usleep(1000) }
      expectRefused(try SprintCommand(SprintCommand.sprint, arguments("shared.npz"), in: folder).wait(20), "--out")
      #expect(try first.wait(60).code == 0)
      func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }
      #expect(try bytes("shared.npz") == bytes("alone.npz"))
      #expect(!FileManager.default.fileExists(atPath: folder.file("shared.npz.lock")))
    }
  }
}

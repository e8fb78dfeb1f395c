import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// A system that refuses threads, as one does at a limit on processes.
  @Suite(.timeLimit(.minutes(5))) struct ThreadTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The environment in which every thread from the `count`-th on is refused. OpenBLAS starts none.
    private func refusing(from count: Int) -> [String: String] {
      [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "OPENBLAS_NUM_THREADS": "1",
        "SPRINT_FAULT": "refuse:pthread_create:thread:\(count)", "SPRINT_FAULT_FIRED": folder.file("fired \(count)"),
      ]
    }

    /// If this fails, a limit on processes hangs a run, or ends it without its reason or its last state.
    @Test("Whichever thread is refused, a run ends with one line, or saves while training waits; it never hangs")
    func training() throws {
      let whole = ShortRun("whole", in: folder, ["threads=2"])
      #expect(try whole.run(ranks: nil).code == 0)
      var seen: Set<String> = []
      for count in [1, 2, 3, 4, 10, 11, 13] {
        let run = ShortRun("refused \(count)", in: folder, ["threads=2"])
        let outcome = try run.start(ranks: nil, environment: refusing(from: count)).wait(60)
        #expect(FileManager.default.fileExists(atPath: folder.file("fired \(count)")), "thread \(count) never started")
        let lines = outcome.errors.split(separator: "\n").filter { !$0.contains("OPENBLAS_CORETYPE") }
        if outcome.code == 0 {
          #expect(try run.finalState() == whole.finalState())
          #expect(outcome.output.contains("until then training waits for every save"), "\(outcome)")
          seen.insert("save")
        } else {
          #expect(outcome.code == 1 && lines.count == 1, "\(count): \(outcome)")
          let reason = "` (Resource temporarily unavailable): raise the limit on processes (`ulimit -u`"
          #expect(lines.first?.contains(reason) == true, "\(count): \(outcome)")
          let name = try #require(outcome.errors.split(separator: "`").dropFirst().first.map(String.init))
          seen.insert(name)
          // What was trained before is saved.
          let last = try run.losses().last?.step ?? 0
          #expect(last == 0 || run.manifests().last?.contains(String(format: "%09d", last)) == true, "\(count)")
        }
      }
      #expect(seen == ["worker", "batch reader", "save"], "\(seen)")
    }

    @Test("A refused communication thread ends the job with one line and exit code 1")
    func communication() throws {
      let outcome = try ShortRun("ranks", in: folder).start(ranks: 2, environment: refusing(from: 1)).wait(60)
      #expect(outcome.code == 1, "\(outcome)")
      #expect(outcome.errors.contains("cannot start the thread `communication` (Resource"), "\(outcome)")
    }
  }
}

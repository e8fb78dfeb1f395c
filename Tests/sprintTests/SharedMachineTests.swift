import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// A machine on which others compute too.
  @Suite struct SharedMachineTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// If this fails, a user reads of steps that are faster than the machine.
    @Test("No step has more than the whole peak, though other work slowed its measurement, and the roster says so")
    func shares() throws {
      let hogs = try (0..<4).map { _ in try SprintCommand("/bin/sh", ["-c", "while :; do :; done"], in: folder) }
      defer { hogs.forEach { $0.signal(SIGKILL) } }
      let run = ShortRun("run", in: folder)
      let command = try run.start(ranks: nil)
      try run.wait(command, for: "the roster") { command.outputSoFar.contains("GFLOP/s") }
      hogs.forEach { $0.signal(SIGKILL) }
      let outcome = try command.wait(60)
      #expect(outcome.code == 0 && outcome.output.contains("disturbed: "), "\(outcome)")
      let shares = try String(contentsOfFile: "\(run.path)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        .compactMap { line in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          return object?["peak_share"] as? Double
        }
      #expect(shares.count == 100 && shares.allSatisfy { $0 > 0 && $0 <= 1 }, "\(shares)")
    }
  }
}

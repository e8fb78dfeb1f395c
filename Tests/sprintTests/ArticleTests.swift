import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Articles whose commands a reader can paste.
  @Suite(.timeLimit(.minutes(5))) struct ArticleTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The blocks of an article that are marked `sh`, in order.
    private func commands(_ article: String) throws -> [String] {
      let text = try String(
        contentsOfFile: "\(SprintCommand.root)/Sources/sprint/Documentation.docc/\(article).md", encoding: .utf8)
      return text.matches(of: /(?s)```sh\n(.*?)```/).map { String($0.1) }
    }

    /// Runs the commands of an article in an empty folder beside the checkout's configurations, as one script.
    private func paste(_ script: String) throws -> SprintCommand.Outcome {
      try FileManager.default.createSymbolicLink(
        atPath: folder.file("configs"), withDestinationPath: "\(SprintCommand.root)/configs")
      let path = "\(SprintCommand.build):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
      return try SprintCommand(
        "/bin/sh", ["-euxc", "cd \"$0\"\npython3() { '\(Python.path)' \"$@\"; }\n\(script)", folder.path],
        environment: ["PATH": path], in: folder
      ).wait(280)
    }

    @Test(
      "The commands of the article about one's own data can be pasted as they stand, with fewer steps",
      .enabled(if: Python.has("numpy", "h5py"), Comment(rawValue: Python.lacks("numpy and h5py"))))
    func ownData() throws {
      let blocks = try commands("YourOwnData")
      #expect(blocks.count > 5)
      let script = blocks.joined().replacing(/(steps: |steps=)\d+/) { "\($0.1)4" }.replacing(
        /warmup: \d+/, with: "warmup: 1")
      let outcome = try paste(script)
      #expect(outcome.code == 0, "\(outcome.errors.suffix(3000))")
      #expect(outcome.errors.contains("it starts anew"), "\(outcome.errors)")
    }
  }
}

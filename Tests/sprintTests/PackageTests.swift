import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// The archive of launch/package.sh on a machine without Swift: a mount namespace that hides the toolchain.
  @Suite struct PackageTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let canHide =
      geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare")

    /// The archive that launch/test.sh makes. A test cannot: it runs while `swift test` locks the build folder.
    private static let archive: String? = {
      let folder = SprintCommand.root + "/.build/package"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.first { $0.hasSuffix(".tar.gz") }.map { "\(folder)/\($0)" }
    }()

    @Test(
      "The packaged program trains and samples on a machine without Swift",
      .enabled(if: canHide, "skipped: hiding the Swift toolchain needs root and unshare"),
      .enabled(if: archive != nil, "skipped: there is no archive in .build/package; make it with launch/package.sh"))
    func withoutSwift() throws {
      let archive = try #require(Self.archive)
      let script = """
        set -eu
        cd \(folder.path)
        tar -xzf \(archive)
        mount -t tmpfs none \(try toolchain())
        if \(SprintCommand.sprint) --version 2>/dev/null; then
          echo "the program in .build runs without the toolchain, so this test shows nothing"
          exit 1
        fi
        cd sprint-*/
        bin/sprint --version
        launch/mpirun.sh configs/digits.yaml 1 1 --run run --until 2
        bin/sprint sample --run run --count 4 --steps 2 --out a.png
        ls a.png licences/*
        """
      let outcome = try SprintCommand(
        "/usr/bin/unshare", ["--mount", "sh", "-c", script], environment: ["SPRINT": nil], in: folder
      ).wait(120)
      #expect(outcome.code == 0 && outcome.output.contains("stopped after step 2"), "\(outcome)")
      for part in ["swift", "swift-argument-parser", "swift-crypto", "swift-protobuf", "Yams", "libyaml", "ICU"] {
        #expect(outcome.output.contains("licences/\(part).txt"), "\(part)")
      }
    }

    /// The folder of the toolchain, or only that of its libraries if Swift is installed in /usr.
    private func toolchain() throws -> String {
      let target = try SprintCommand("/usr/bin/env", ["swiftc", "-print-target-info"], in: folder).wait(30).output
      let object = try JSONSerialization.jsonObject(with: Data(target.utf8)) as? [String: Any]
      let paths = try #require(object?["paths"] as? [String: Any])
      let libraries = try #require(paths["runtimeResourcePath"] as? String)
      let root = URL(fileURLWithPath: libraries).deletingLastPathComponent().deletingLastPathComponent().path
      return root == "/usr" ? libraries : root
    }
  }
}

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
        ls a.png VERSION licences/* share/man/man1/*
        """
      let outcome = try SprintCommand(
        "/usr/bin/unshare", ["--mount", "sh", "-c", script], environment: ["SPRINT": nil], in: folder
      ).wait(120)
      #expect(outcome.code == 0 && outcome.output.contains("stopped after step 2"), "\(outcome)")
      for page in ["sprint", "sprint-train", "sprint-bench-train"] {
        #expect(outcome.output.contains("share/man/man1/\(page).1"), "\(page)")
      }
      for part in ["swift", "swift-argument-parser", "swift-crypto", "swift-protobuf", "Yams", "libyaml", "ICU"] {
        #expect(outcome.output.contains("licences/\(part).txt"), "\(part)")
      }
    }

    private static let man = "/usr/bin/man"

    @Test("Every command has a manual page with its name, its synopsis and every option of its help; man can show it")
    func manual() throws {
      let pages = folder.file("man1")
      let script = try SprintCommand(
        "/usr/bin/env", ["python3", "launch/manual.py", SprintCommand.sprint, pages], in: folder
      ).wait(60)
      #expect(script.code == 0, "\(script)")
      let names = try FileManager.default.contentsOfDirectory(atPath: pages)
      #expect(names.count > 15 && names.contains("sprint.1") && names.contains("sprint-bench-train.1"), "\(names)")
      for name in names {
        let page = try String(contentsOfFile: "\(pages)/\(name)", encoding: .utf8).replacing("\\-", with: "-")
        for part in [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH EXIT STATUS", ".SH SEE ALSO"] {
          #expect(page.contains("\(part)\n"), "\(part) of \(name)")
        }
        for option in try options(of: name) { #expect(page.contains("\\fB\(option)\\fR"), "\(option) of \(name)") }
        if FileManager.default.isExecutableFile(atPath: Self.man) { try show("\(pages)/\(name)") }
      }
    }

    /// Expects that `man` shows a page without a warning. Small images of containers have a `man` that shows none.
    private func show(_ page: String) throws {
      let shown = try SprintCommand(
        Self.man, ["--warnings", "-l", page], environment: ["MANWIDTH": "80"], in: folder
      ).wait(30)
      guard !shown.output.contains("minimized") else { return }
      #expect(shown.code == 0 && !shown.errors.contains("warning") && shown.output.contains("SYNOPSIS"), "\(shown)")
    }

    /// The options in the help of the command that a page describes.
    private func options(of page: String) throws -> Set<String> {
      let words = page.replacing(".1", with: "").split(separator: "-").dropFirst().map(String.init)
      let help = try SprintCommand(SprintCommand.sprint, words + ["--help"], in: folder).wait(30).output
      let names = help.split(separator: "\n").compactMap {
        $0.prefixMatch(of: /\s+(?:--?[a-z][a-z-]*(?:\/|, )?)+/)?.output
      }
      #expect(!names.isEmpty, "\(help)")
      return Set(names.flatMap { $0.split { "/, ".contains($0) }.map(String.init) })
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

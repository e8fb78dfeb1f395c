import Foundation

/// A Python with packages that read and write the same files as sprint.
package enum Python {
  private static let root = (#filePath as NSString).deletingLastPathComponent + "/../.."

  /// The interpreter: SPRINT_PYTHON, else the one that launch/test.sh sets up, else that of the system.
  package static let path: String = {
    if let chosen = ProcessInfo.processInfo.environment["SPRINT_PYTHON"] { return chosen }
    let own = "\(root)/.build/python/bin/python"
    return FileManager.default.isExecutableFile(atPath: own) ? own : "/usr/bin/python3"
  }()

  /// Returns whether Python can import all of these packages.
  package static func has(_ packages: String...) -> Bool {
    (try? run(["-c", "import \(packages.joined(separator: ", "))"]).code) == 0
  }

  /// Why tests that need these packages are skipped.
  package static func lacks(_ packages: String) -> String { "\(path) has no \(packages); see launch/test.sh" }

  /// Runs Python in the checkout, e.g. with a script of `Tests/Reference`, and waits for its end.
  package static func run(_ arguments: [String]) throws -> (code: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.currentDirectoryURL = URL(fileURLWithPath: root)
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let problems = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text, problems)
  }
}

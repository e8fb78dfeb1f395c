import Foundation
import SprintTestSupport
import Synchronization
import Testing

/// A command that runs in the checkout beside the test, with a hard time limit.
final class SprintCommand {
  struct Outcome {
    let code: Int32
    let output, errors: String
  }

  static let build = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
  static let sprint = build + "/sprint"
  static let root = ((#filePath as NSString).deletingLastPathComponent + "/../..")

  private let process = Process()
  private let output, errors: String
  private let folder: TemporaryFolder

  /// Variables that no test may inherit: the width of help texts, the deadline of a Slurm job around the tests, and the
  /// mark of a restarted `sprint`. Tests inherit all others, such as PATH or the core type that this machine sets for
  /// OpenBLAS.
  private static let removed = ["COLUMNS", "SLURM_JOB_END_TIME", "SPRINT_OPENBLAS_GUESS"]

  /// Starts `executable` in the checkout.
  ///
  /// - Parameter environment: variables to set, or to remove if their value is nil
  init(_ executable: String, _ arguments: [String], environment: [String: String?] = [:], in folder: TemporaryFolder)
    throws
  {
    self.folder = folder
    let name = UUID().uuidString
    (output, errors) = (folder.file("\(name).stdout"), folder.file("\(name).stderr"))
    process.executableURL = URL(fileURLWithPath: executable)
    process.currentDirectoryURL = URL(fileURLWithPath: Self.root)
    process.arguments = arguments
    process.environment = Self.environment(changes: environment, folder)
    for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    // Threads that run tests block signals, and a child inherits that.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  private static func environment(changes: [String: String?], _ folder: TemporaryFolder) -> [String: String] {
    var variables = ProcessInfo.processInfo.environment
    // One mpirun removes the folder that another one is about to use, if they share it.
    variables["OMPI_MCA_orte_tmpdir_base"] = folder.path
    for name in removed { variables[name] = nil }
    for (name, value) in changes { variables[name] = value }
    return variables
  }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }
  var outputSoFar: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
  var errorsSoFar: String { (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "" }

  /// Sends a signal to the process.
  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits for the end. A command that runs longer than `seconds` is killed and fails the test.
  func wait(_ seconds: Double) throws -> Outcome {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning, Date() < deadline { usleep(10_000) }
    if process.isRunning {
      signal(SIGKILL)
      Processes.killAll(mentioning: folder.path)
      Issue.record("still running after \(seconds) s: \(outputSoFar.suffix(2000)) \(errorsSoFar.suffix(2000))")
    }
    process.waitUntilExit()
    return Outcome(code: process.terminationStatus, output: outputSoFar, errors: errorsSoFar)
  }
}

/// Processes of `sprint`, found by a path in their arguments.
enum Processes {
  /// The processes that work on `path`, by rank; a process without a launcher is rank zero.
  static func ranks(of path: String) -> [Int: Int32] {
    var found: [Int: Int32] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = Int32(name), let arguments = read(pid, "cmdline"), arguments.count > 1,
        arguments[0].hasSuffix("/sprint"), arguments.contains(where: { $0.hasPrefix(path) }), isAlive(pid)
      else { continue }
      let variable = read(pid, "environ")?.first { $0.hasPrefix("OMPI_COMM_WORLD_RANK=") }
      found[variable.flatMap { Int($0.dropFirst(21)) } ?? 0] = pid
    }
    return found
  }

  /// Waits until no process works on `path`. A process that is left after `seconds` is killed and fails the test.
  static func expectGone(_ path: String, within seconds: Double) {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while !ranks(of: path).isEmpty, Date() < deadline { usleep(20_000) }
    let left = ranks(of: path)
    #expect(left.isEmpty, "left after \(seconds) s: \(left)")
    for pid in left.values { kill(pid, SIGKILL) }
  }

  /// Kills every process with `path` in its arguments, launchers included.
  static func killAll(mentioning path: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = Int32(name), pid != getpid(), read(pid, "cmdline")?.contains(where: { $0.contains(path) }) == true
      else { continue }
      kill(pid, SIGKILL)
    }
  }

  private static func isAlive(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return text.split(separator: ")").last?.split(separator: " ").first != "Z"
  }

  private static func read(_ pid: Int32, _ file: String) -> [String]? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/\(file)") else { return nil }
    return String(decoding: data, as: UTF8.self).split(separator: "\0").map(String.init)
  }
}

/// A short run of the digits and the files that it leaves.
struct ShortRun {
  let folder: TemporaryFolder
  let path: String
  let settings: [String]

  /// The images in a step of a run that is interrupted: its steps take some 15 ms, so that a test meets the one it
  /// waits for.
  static let slowBatch = 60

  /// Describes a run in `folder` with steps of `batch` images; `settings` come after those that make it short.
  init(_ name: String, in folder: TemporaryFolder, _ settings: [String] = [], batch: Int = 24) {
    (self.folder, path) = (folder, folder.file(name))
    self.settings =
      [
        "model={width: 32, heads: 2, depth: [1, 1, 1], patch: 2, side: 8, channels: 1, classes: 10}",
        "stages[0].steps=60", "stages[1].steps=40", "stages[0].batch=\(batch)", "stages[1].batch=\(batch)",
        "stages[0].warmup=5", "stages[1].warmup=5", "checkpoint={interval: 10, keep: 3}",
        "validation={interval: 1000000, samples: 8}", "samples={steps: 2, per_class: 1}", "threads=1",
        "log={interval: 1}", "distribution.timeout=20",
      ] + settings
  }

  var arguments: [String] {
    ["train", "--config", "configs/digits.yaml", "--run", path, "--resume", "auto"]
      + settings.flatMap { ["--set", $0] }
  }

  var checkpoints: String { "\(path)/checkpoints" }

  /// Starts the run on `ranks` ranks, or as a single process without mpirun if `ranks` is nil.
  func start(ranks: Int?, _ more: [String] = [], mpirun: [String] = [], environment: [String: String] = [:]) throws
    -> SprintCommand
  {
    guard let ranks else {
      return try SprintCommand(SprintCommand.sprint, arguments + more, environment: environment, in: folder)
    }
    let exported = environment.flatMap { ["-x", "\($0.key)=\($0.value)"] }
    return try SprintCommand(
      "/usr/bin/env",
      ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "\(ranks)"] + mpirun + exported
        + [SprintCommand.sprint] + arguments + more, in: folder)
  }

  /// Starts the run and waits for its end.
  @discardableResult
  func run(ranks: Int?, _ more: [String] = []) throws -> SprintCommand.Outcome {
    try start(ranks: ranks, more).wait(120)
  }

  /// Waits until the log reaches a step.
  func waitForStep(_ step: Int, _ command: SprintCommand) throws {
    try wait(command, for: "step \(step)") { (try losses().last?.step ?? 0) >= step }
  }

  /// Waits until `condition` holds; `what` names it.
  func wait(_ command: SprintCommand, for what: String, _ condition: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while try !condition(), Date() < deadline, command.isRunning { usleep(2_000) }
    #expect(
      try condition(), "never saw \(what): \(command.outputSoFar.suffix(1000)) \(command.errorsSoFar.suffix(1000))")
  }

  /// The losses in the log.
  func losses() throws -> [(step: Int, loss: Double)] {
    let text = (try? String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let step = object?["step"] as? Int, let loss = object?["loss"] as? Double else { return nil }
      return (step, loss)
    }
  }

  /// The names of the manifests, by step: one for each whole checkpoint.
  func manifests() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
    return names.filter { $0.hasSuffix(".manifest.json") }.sorted()
  }

  /// The bytes of the checkpoint of the last step.
  func finalState() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(checkpoints)/step-000000100.h5")) }

  private static let wholeStates = Mutex<[String: Data]>([:])

  /// Returns the final state of a run on `ranks` ranks without a fault. Equal runs end with the same bits, so one run
  /// serves all tests.
  static func wholeState(ranks: Int?, _ settings: [String] = [], batch: Int = 24) throws -> Data {
    try wholeStates.withLock { states in
      let key = "\(ranks ?? 0) ranks, \(batch) images, \(settings)"
      if let state = states[key] { return state }
      let run = ShortRun("whole", in: try TemporaryFolder(), settings, batch: batch)
      #expect(try run.run(ranks: ranks).code == 0)
      let state = try run.finalState()
      states[key] = state
      return state
    }
  }
}

/// Expects equal losses up to rounding. Training amplifies rounding, so only the first fifty steps are compared.
func expectEqualLosses(_ found: [(step: Int, loss: Double)], _ expected: [(step: Int, loss: Double)]) {
  #expect(found.map(\.step) == expected.map(\.step))
  let errors = zip(found, expected).prefix(50).map { abs($0.loss - $1.loss) / $1.loss }
  #expect(errors.max() ?? 1 < 1e-5, "errors \(errors)")
}

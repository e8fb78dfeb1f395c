import Foundation
import SprintFormats
import SprintTraining

/// What lies in the folder of a run, how far it is, and whether a process trains there.
struct RunInspection: Inspected {
  let name: String
  /// What is wrong with the configuration; nil for a valid one.
  let configurationProblem: String?
  let totalSteps: Int?
  let lastStep: Int
  let stage: String
  let lastLosses: [Double]
  /// The names of the checkpoints with a manifest, newest first, and of files without one.
  let checkpoints, withoutManifest: [String]
  /// Who trains in the folder.
  let owner: String?
  let files: [String]
  /// What is wrong with checkpoints, and which ones training failed after.
  let problems: [String]
  private let notes: [String]

  private enum CodingKeys: CodingKey {
    case name, configurationProblem, totalSteps, lastStep, stage, lastLosses, checkpoints, withoutManifest, problems,
      owner,
      files
  }

  init(path: String) throws {
    let folder = RunFolder(path: path)
    name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    let configuration = Result { try Configuration(ConfigurationDocument(path: folder.configuration)) }
    totalSteps = (try? configuration.get())?.totalSteps
    configurationProblem = configuration.problem(of: folder.configuration)
    let log = try? LogInspection(path: folder.metrics)
    (lastStep, stage) = (log?.lastStep ?? 0, log?.stage ?? "")
    // JSON has no numbers that are not finite.
    lastLosses = (log?.losses ?? []).filter(\.isFinite)
    let store = CheckpointStore(folder)
    let candidates = try store.candidates()
    let isWhole = { FileManager.default.fileExists(atPath: $0) && Checkpoint.hasManifest($0) }
    checkpoints = candidates.filter(isWhole).map(Self.name)
    withoutManifest = candidates.filter { !isWhole($0) }.map(Self.name)
    problems =
      candidates.filter(isWhole).compactMap { path in
        Checkpoint.quickProblem(of: path).map { "\(Self.name(path)): not whole: \($0)" }
      }
      + candidates.filter(store.isMarked).map {
        "\(Self.name($0)): marked, a number of the steps after it is not finite"
      }
    owner = ExclusiveLock.owner(of: folder.lock)
    files = try FolderListing(path).names
    let summary = ((try? configuration.get()).map { FileInspection.summary($0) } ?? []).prefix(3)
    notes = summary + (log?.notes ?? ["no log: nothing was trained yet, or metrics.jsonl is missing"])
  }

  private static func name(_ path: String) -> String { (path as NSString).lastPathComponent }

  var lines: [String] {
    let progress = totalSteps.map { "step \(lastStep) of \($0)" } ?? "step \(lastStep)"
    let saved =
      checkpoints.isEmpty
      ? "no checkpoint" : "\(checkpoints.count) checkpoints, newest first: \(FileInspection.listed(checkpoints))"
    return ["run `\(name)`, \(progress)"]
      + (configurationProblem.map { ["  config.yaml: \($0)"] } ?? []) + notes.map { "  \($0)" }
      + ["  \(saved)"]
      + (withoutManifest.isEmpty
        ? [] : ["  not whole, file or manifest is missing: \(FileInspection.listed(withoutManifest))"])
      + problems.prefix(5).map { "  \($0)" }
      + [
        owner.map { "  in use by \($0)" } ?? "  no process trains here",
        "  holds \(FileInspection.listed(files, most: 12))",
      ]
  }
}

extension Result {
  /// What the error says without the path in front of it; nil for a success.
  fileprivate func problem(of path: String) -> String? {
    if case .failure(let error) = self { FileInspection.problem(error, of: path) } else { nil }
  }
}

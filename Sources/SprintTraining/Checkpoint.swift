import Foundation
import SprintData
import SprintFormats
import SprintModel

/// Where training stands.
public struct TrainingPosition: Sendable, Equatable {
  /// Updates since the start of the run, in all stages.
  public var step = 0
  /// The stage that comes next or is under way.
  public var stage = 0
  /// Updates done in it.
  public var stageStep = 0
  /// Updates of this stage that were left out because a number was not finite.
  public var skipped = 0
}

/// Why a checkpoint could not be loaded.
public enum CheckpointError: Error, CustomStringConvertible {
  /// The file does not match its manifest, or has none.
  case damaged(path: String, problem: String)
  /// The file has another content than expected.
  case unexpected(path: String, problem: String)

  /// One line: what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .damaged(let path, let problem): "\(path): not a whole checkpoint: \(problem)"
    case .unexpected(let path, let problem): "\(path): \(problem)"
    }
  }
}

/// One checkpoint: an HDF5 file with weights, moving average and moments by parameter name, and a manifest with its
/// fingerprint, written last. Without a manifest that matches, a file is not a checkpoint.
public struct Checkpoint: Sendable {
  /// The file.
  public let path: String
  /// Where training stood.
  public let position: TrainingPosition
  /// The configuration's document.
  public let configurationText: String
  /// What the numbers of the data meant.
  public let properties: LatentProperties
  /// Number of samples trained on.
  public let samples: Int

  private static let version = 1
  private static let groups = ["model", "ema", "adam/m", "adam/v"]

  private struct Manifest: Codable {
    let file: String
    let fingerprint: Fingerprint
  }

  static func manifest(of path: String) -> String { "\((path as NSString).deletingPathExtension).manifest.json" }

  /// Opens a checkpoint: checks its fingerprint and reads everything but the parameters.
  public init(path: String) throws {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      throw CheckpointError.damaged(path: path, problem: "the file does not exist")
    }
    let manifestPath = Self.manifest(of: path)
    guard let data = FileManager.default.contents(atPath: manifestPath),
      let manifest = try? JSONDecoder().decode(Manifest.self, from: data)
    else { throw CheckpointError.damaged(path: path, problem: "its manifest \(manifestPath) is missing or unreadable") }
    let found = try Fingerprint(of: path)
    guard found == manifest.fingerprint, manifest.file == (path as NSString).lastPathComponent else {
      throw CheckpointError.damaged(path: path, problem: "its size or SHA-256 is not that of its manifest")
    }
    let file = try HDF5File(reading: path)
    func number(_ name: String) throws -> Int {
      guard let value = try file.numbers(name)?.first.flatMap({ Int(exactly: $0) }) else {
        throw CheckpointError.unexpected(
          path: path, problem: "lacks the attribute `\(name)`; is it a checkpoint of sprint?")
      }
      return value
    }
    let version = try number("format_version")
    guard version == Self.version else {
      throw CheckpointError.unexpected(
        path: path, problem: "has format version \(version), this program reads \(Self.version)")
    }
    position = TrainingPosition(
      step: try number("step"), stage: try number("stage"), stageStep: try number("stage_step"),
      skipped: try number("skipped"))
    samples = try number("samples")
    configurationText = try file.text("configuration") ?? ""
    let range = try file.numbers("pixel_range") ?? [-1, 1]
    properties = LatentProperties(
      scale: (try file.numbers("scale") ?? [1]).map { Float($0) },
      shift: (try file.numbers("shift") ?? [0]).map { Float($0) },
      kind: try file.text("kind") ?? "latents", pixelRange: range[0]...range[1], vae: try file.text("vae") ?? "")
  }

  /// The configuration that it was made with.
  public func configuration() throws -> Configuration {
    try Configuration(ConfigurationDocument(text: configurationText, source: path))
  }

  /// Reads weights, moving average and moments.
  public func load(into optimizer: Optimizer) throws {
    let file = try HDF5File(reading: path)
    for (group, arena) in Self.arenas(optimizer) { try Self.read(file, group, into: arena) }
  }

  /// Reads the weights or their moving average alone.
  public func load(average: Bool, into arena: ParameterArena) throws {
    try Self.read(HDF5File(reading: path), average ? "ema" : "model", into: arena)
  }

  private static func read(_ file: HDF5File, _ group: String, into arena: ParameterArena) throws {
    for parameter in arena.layout.parameters {
      let name = "/\(group)/\(parameter.name)"
      let shape = try file.describe(name).shape
      guard shape == parameter.shape else {
        throw HDF5Error.unexpected(
          path: file.path, name: name, found: "of shape \(shape)", expected: "\(parameter.shape)")
      }
      let values = arena[parameter]
      try file.floats(name, into: values.buffer)
    }
  }

  /// Writes a checkpoint in one piece or not at all: the file, then its manifest.
  static func write(
    _ optimizer: Optimizer, _ position: TrainingPosition, _ configuration: Configuration, _ dataset: LatentDataset,
    to path: String
  ) throws {
    try AtomicFile.create(path) { temporary in
      let file = try HDF5File(creating: temporary)
      for (group, arena) in arenas(optimizer) {
        try file.createGroup(group)
        for parameter in arena.layout.parameters {
          let values = arena[parameter]
          try file.write(
            "/\(group)/\(parameter.name)", shape: parameter.shape,
            UnsafeBufferPointer(start: values.base, count: values.count), checked: true)
        }
      }
      for (name, number) in [
        ("format_version", version), ("step", position.step), ("stage", position.stage),
        ("stage_step", position.stageStep),
        ("skipped", position.skipped), ("samples", dataset.count),
      ] { try file.write(attribute: name, number) }
      try file.write(attribute: "seed", "\(configuration.seed)")
      try file.write(attribute: "configuration", configuration.text)
      try file.write(attribute: "kind", dataset.properties.kind)
      try file.write(attribute: "vae", dataset.properties.vae)
      try file.write(attribute: "scale", dataset.properties.scale.map(Double.init))
      try file.write(attribute: "shift", dataset.properties.shift.map(Double.init))
      try file.write(
        attribute: "pixel_range", [dataset.properties.pixelRange.lowerBound, dataset.properties.pixelRange.upperBound])
      try file.flush()
    }
    let manifest = Manifest(file: (path as NSString).lastPathComponent, fingerprint: try Fingerprint(of: path))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try AtomicFile.write(encoder.encode(manifest), to: Self.manifest(of: path))
  }

  private static func arenas(_ optimizer: Optimizer) -> [(String, ParameterArena)] {
    Array(zip(groups, [optimizer.weights, optimizer.average, optimizer.firstMoment, optimizer.secondMoment]))
  }
}

/// The checkpoints in a run's folder.
public struct CheckpointStore: Sendable {
  private let folder: RunFolder

  /// The store of a run.
  public init(_ folder: RunFolder) { self.folder = folder }

  /// The file of a step; names sort by step.
  func path(step: Int) -> String {
    let digits = String(step)
    return "\(folder.checkpoints)/step-\(String(repeating: "0", count: max(0, 9 - digits.count)))\(digits).h5"
  }

  /// Everything that may be a checkpoint, the newest first.
  public func candidates() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints)) ?? []
    return names.filter { $0.hasPrefix("step-") && $0.hasSuffix(".h5") }.sorted(by: >).map {
      "\(folder.checkpoints)/\($0)"
    }
  }

  /// The newest whole checkpoint, and what is wrong with newer ones; nil where there is none at all.
  public func newest() throws -> (checkpoint: Checkpoint, problems: [String])? {
    var problems: [String] = []
    for path in candidates() {
      do {
        return (try Checkpoint(path: path), problems)
      } catch {
        problems.append("\(error)")
      }
    }
    guard problems.isEmpty else { throw RunError.noWholeCheckpoint(folder: folder.path, problems: problems) }
    return nil
  }

  /// Writes a checkpoint, then removes all but the newest `keep`.
  func save(
    _ optimizer: Optimizer, _ position: TrainingPosition, _ configuration: Configuration, _ dataset: LatentDataset
  ) throws -> String {
    let path = path(step: position.step)
    try Checkpoint.write(optimizer, position, configuration, dataset, to: path)
    for old in candidates().dropFirst(configuration.checkpoint.keep) {
      // The manifest goes first: what is left when this is interrupted is no checkpoint.
      unlink(Checkpoint.manifest(of: old))
      unlink(old)
    }
    return path
  }
}

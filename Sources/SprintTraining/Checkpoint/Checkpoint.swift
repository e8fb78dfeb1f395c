import Foundation
import SprintData
import SprintFormats
import SprintModel

/// One checkpoint: an HDF5 file with weights, moving average and moments by parameter name, and a manifest with the
/// file's fingerprint, which is written last. A file without a matching manifest is not a checkpoint.
package struct Checkpoint: Sendable {
  /// The file.
  package let path: String
  /// Where training stood.
  package let position: TrainingPosition
  /// The configuration's document.
  package let configurationText: String
  /// The data that the run was trained on.
  package let data: DataRecord
  /// What the run changed of its configuration whenever it resumed, in order.
  package let changes: [ConfigurationChange]

  private static let version = 2

  private static func damaged(_ path: String, _ problem: String) -> FileError {
    .unusable(path: path, problem: "not a whole checkpoint: \(problem)")
  }

  static func lacks(_ attribute: String, _ path: String) -> FileError {
    .unusable(path: path, problem: "lacks the attribute `\(attribute)`; is it a checkpoint of sprint?")
  }

  private struct Manifest: Codable {
    let file: String
    let fingerprint: Fingerprint

    /// The text of the manifest: the same manifest always gives the same bytes.
    var text: Data {
      get throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
      }
    }
  }

  package static func manifest(of path: String) -> String {
    "\((path as NSString).deletingPathExtension).manifest.json"
  }

  /// Whether a manifest stands beside a file.
  package static func hasManifest(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: manifest(of: path))
  }

  /// What is wrong with a checkpoint as far as its manifest and its size tell; nil if nothing is. Reads no weights.
  package static func quickProblem(of path: String) -> String? {
    guard let text = FileManager.default.contents(atPath: manifest(of: path)),
      let manifest = try? JSONDecoder().decode(Manifest.self, from: text)
    else { return "its manifest is missing or unreadable" }
    guard let size = try? RandomAccessFile(reading: path).size else { return "the file is missing or unreadable" }
    guard size == manifest.fingerprint.size else {
      return "\(size) bytes, its manifest says \(manifest.fingerprint.size)"
    }
    let name = (path as NSString).lastPathComponent
    return manifest.file == name || !CheckpointStore.isOwnName(path) ? nil : "its manifest is that of \(manifest.file)"
  }

  /// Opens a checkpoint: checks its fingerprint and reads everything but the parameters. Throws `FileError` for a
  /// damaged one.
  package init(path: String) throws {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      throw Self.damaged(path, "the file does not exist")
    }
    let manifestPath = Self.manifest(of: path)
    // Any difference from the written text, even in a space, is damage.
    guard let text = FileManager.default.contents(atPath: manifestPath),
      let manifest = try? JSONDecoder().decode(Manifest.self, from: text), (try? manifest.text) == text
    else {
      throw FileError.otherKind(path, expected: .hdf5)
        ?? Self.damaged(path, "its manifest \(manifestPath) is missing or unreadable")
    }
    let found = try Fingerprint(of: path)
    guard found == manifest.fingerprint else {
      throw Self.damaged(path, "its size or SHA-256 differs from its manifest")
    }
    // A copy under a name of the user's is as whole. A name that training gives says which step it is.
    guard manifest.file == (path as NSString).lastPathComponent || !CheckpointStore.isOwnName(path) else {
      throw Self.damaged(path, "its manifest is that of \(manifest.file)")
    }
    fingerprint = found
    let file = try HDF5File(reading: path)
    guard let version = try file.numbers("format_version")?.first else { throw Self.lacks("format_version", path) }
    guard version == Double(Self.version) else {
      throw FileError.unusable(
        path: path, problem: "has format version \(version), this program reads \(Self.version)")
    }
    position = try TrainingPosition(of: path) { try file.numbers($0)?.first }
    configurationText = try file.text("configuration") ?? ""
    data = try DataRecord(of: file)
    changes = try file.text("changes").map { try ConfigurationChange.read(json: $0, of: path) } ?? []
  }

  /// Size and SHA-256 of the file.
  package let fingerprint: Fingerprint

  /// The configuration that the checkpoint was made with. Throws where it does not fit the rest of the checkpoint.
  package func configuration() throws -> Configuration {
    let configuration = try Configuration(ConfigurationDocument(text: configurationText, source: path))
    try position.check(configuration, of: path)
    let (channels, found) = (configuration.model.channels, data.properties.scale.count)
    guard found == channels, data.properties.shift.count == channels else {
      throw FileError.unexpected(path: path, name: "scale", found: "\(found) numbers", expected: "\(channels)")
    }
    return configuration
  }

  /// Reads only the weights or only their moving average.
  package func load(average: Bool, into arena: ParameterArena<Float>) throws {
    try read(average ? .average : .weights, into: arena)
  }

  /// Reads one part of the training state.
  func read(_ part: TrainingPart, into arena: ParameterArena<Float>) throws {
    let file = try HDF5File(reading: path)
    for parameter in arena.layout.parameters {
      let name = "/\(part.rawValue)/\(parameter.name)"
      let shape = try file.describe(name).shape
      guard shape == parameter.shape else {
        throw FileError.unexpected(
          path: file.path, name: name, found: "of shape \(shape)", expected: "\(parameter.shape)")
      }
      let values = arena[parameter]
      try file.floats(name, into: values.buffer)
    }
  }

  /// Writes a whole checkpoint or none: the file, then its manifest.
  ///
  /// - Parameter whole: called for each part in order; returns all of it
  package static func write(
    _ position: TrainingPosition, _ configuration: Configuration, _ data: DataRecord,
    changes: [ConfigurationChange] = [], pace: Pace? = nil, to path: String,
    _ whole: (TrainingPart) throws -> ParameterArena<Float>
  ) throws {
    try AtomicFile.create(path) { temporary in
      let file = try HDF5File(creating: temporary, pace: pace)
      for part in TrainingPart.allCases {
        try file.createGroup(part.rawValue)
        let arena = try whole(part)
        for parameter in arena.layout.parameters {
          try file.write(
            "/\(part.rawValue)/\(parameter.name)", shape: parameter.shape, UnsafeBufferPointer(arena[parameter].buffer),
            checked: true)
        }
      }
      try writeAttributes(file, position, configuration, data)
      if !changes.isEmpty { try file.write(attribute: "changes", ConfigurationChange.json(changes)) }
      try file.close()
    }
    do {
      let manifest = Manifest(
        file: (path as NSString).lastPathComponent, fingerprint: try Fingerprint(of: path, pace: pace))
      try AtomicFile.write(manifest.text, to: Self.manifest(of: path))
    } catch {
      unlink(path)
      throw error
    }
  }

  private static func writeAttributes(
    _ file: HDF5File, _ position: TrainingPosition, _ configuration: Configuration, _ data: DataRecord
  ) throws {
    try file.write(attribute: "format_version", version)
    for (field, number) in zip(TrainingPosition.fields, position.numbers) {
      try file.write(attribute: field.name, [number])
    }
    try file.write(attribute: "seed", "\(configuration.seed)")
    try file.write(attribute: "configuration", configuration.text)
    try data.write(to: file)
  }
}

import Foundation
import SprintData
import SprintFormats
import SprintModel

/// Why a checkpoint could not be loaded.
package enum CheckpointError: Error, CustomStringConvertible {
  /// The file does not match its manifest, or has none.
  case damaged(path: String, problem: String)
  /// The file has another content than expected.
  case unexpected(path: String, problem: String)

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .damaged(let path, let problem): "\(path): not a whole checkpoint: \(problem)"
    case .unexpected(let path, let problem): "\(path): \(problem)"
    }
  }
}

/// One checkpoint: an HDF5 file with weights, moving average and moments by parameter name, and a manifest with its
/// fingerprint, written last. Without a manifest that matches, a file is not a checkpoint.
package struct Checkpoint: Sendable {
  /// The file.
  package let path: String
  /// Where training stood.
  package let position: TrainingPosition
  /// The configuration's document.
  package let configurationText: String
  /// What the numbers of the data meant.
  package let properties: LatentProperties
  /// Number of samples trained on.
  package let samples: Int

  private static let version = 2

  private struct Manifest: Codable {
    let file: String
    let fingerprint: Fingerprint

    /// The only text that stands for it.
    var text: Data {
      get throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
      }
    }
  }

  package static func manifest(of path: String) -> String { "\((path as NSString).deletingPathExtension).manifest.json" }

  /// Opens a checkpoint: checks its fingerprint and reads everything but the parameters.
  package init(path: String) throws {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      throw CheckpointError.damaged(path: path, problem: "the file does not exist")
    }
    let manifestPath = Self.manifest(of: path)
    // Whatever differs from the text that was written, if only in a space, is damage.
    guard let data = FileManager.default.contents(atPath: manifestPath),
      let manifest = try? JSONDecoder().decode(Manifest.self, from: data), (try? manifest.text) == data
    else { throw CheckpointError.damaged(path: path, problem: "its manifest \(manifestPath) is missing or unreadable") }
    let found = try Fingerprint(of: path)
    guard found == manifest.fingerprint, manifest.file == (path as NSString).lastPathComponent else {
      throw CheckpointError.damaged(path: path, problem: "its size or SHA-256 is not that of its manifest")
    }
    fingerprint = found
    let file = try HDF5File(reading: path)
    func number(_ name: String) throws -> Double {
      guard let value = try file.numbers(name)?.first else {
        throw CheckpointError.unexpected(
          path: path, problem: "lacks the attribute `\(name)`; is it a checkpoint of sprint?")
      }
      return value
    }
    let version = Int(try number("format_version"))
    guard version == Self.version else {
      throw CheckpointError.unexpected(
        path: path, problem: "has format version \(version), this program reads \(Self.version)")
    }
    var position = TrainingPosition()
    position.numbers = try TrainingPosition.fields.map { try number($0.name) }
    self.position = position
    samples = Int(try number("samples"))
    configurationText = try file.text("configuration") ?? ""
    properties = try LatentProperties(of: file)
  }

  /// Size and SHA-256 of the file.
  package let fingerprint: Fingerprint

  /// The configuration that it was made with.
  package func configuration() throws -> Configuration {
    try Configuration(ConfigurationDocument(text: configurationText, source: path))
  }

  /// Reads the weights or their moving average alone.
  package func load(average: Bool, into arena: ParameterArena) throws {
    try read(average ? .average : .weights, into: arena)
  }

  /// Reads one part.
  func read(_ part: TrainingPart, into arena: ParameterArena) throws {
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

  /// Writes a checkpoint in one piece or not at all: the file, then its manifest.
  ///
  /// - Parameter whole: called for each part in order, gives all of it
  package static func write(
    _ position: TrainingPosition, _ configuration: Configuration, _ properties: LatentProperties, samples: Int,
    pace: Pace? = nil, to path: String, _ whole: (TrainingPart) throws -> ParameterArena
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
      try writeAttributes(file, position, configuration, properties, samples)
      try file.flush()
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
    _ file: HDF5File, _ position: TrainingPosition, _ configuration: Configuration, _ properties: LatentProperties,
    _ samples: Int
  ) throws {
    try file.write(attribute: "format_version", version)
    for (field, number) in zip(TrainingPosition.fields, position.numbers) {
      try file.write(attribute: field.name, [number])
    }
    try file.write(attribute: "samples", samples)
    try file.write(attribute: "seed", "\(configuration.seed)")
    try file.write(attribute: "configuration", configuration.text)
    try file.write(properties)
  }
}

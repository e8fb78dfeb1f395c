import Foundation
import SprintFormats
import SprintTestSupport
import SprintTraining
import Testing

/// Properties of the data in a checkpoint whose fingerprint is right.
@Suite struct CheckpointPropertiesTests {
  private struct Manifest: Codable {
    let file: String
    let fingerprint: Fingerprint
  }

  /// Writes the attributes of a checkpoint and a manifest that matches.
  private func write(_ path: String, _ properties: [String: [Double]]) throws {
    let numbers = [
      "format_version", "step", "stage", "stage_step", "stage_is_over", "skipped", "draws", "validated",
      "best_validation", "validations_without_gain", "samples",
    ]
    do {
      let file = try HDF5File(creating: path)
      for name in numbers where properties[name] == nil {
        try file.write(attribute: name, [name == "format_version" ? 2 : 0])
      }
      for (name, values) in properties { try file.write(attribute: name, values) }
      try file.close()
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let manifest = Manifest(file: (path as NSString).lastPathComponent, fingerprint: try Fingerprint(of: path))
    try AtomicFile.write(encoder.encode(manifest), to: Checkpoint.manifest(of: path))
  }

  @Test("A checkpoint whose pixel range or scale makes no sense is an error, not a trap")
  func nonsense() throws {
    let folder = try TemporaryFolder()
    try write(folder.file("good.h5"), ["pixel_range": [0, 16], "scale": [2, 3], "shift": [1]])
    let properties = try Checkpoint(path: folder.file("good.h5")).data.properties
    #expect(properties.pixelRange == 0...16 && properties.scale == [2, 3] && properties.shift == [1, 1])
    let bad: [(String, [Double])] = [
      ("pixel_range", [1, -1]), ("pixel_range", [1]), ("pixel_range", [.nan, 1]), ("scale", [0]), ("shift", [.nan]),
    ]
    for (index, (name, values)) in bad.enumerated() {
      let path = folder.file("bad\(index).h5")
      try write(path, [name: values])
      #expect { try Checkpoint(path: path) } throws: { $0 is FileError && "\($0)".contains("\(path): `\(name)`") }
    }
  }

  @Test("A checkpoint whose numbers training cannot have stored is an error, not a trap")
  func impossibleNumbers() throws {
    let folder = try TemporaryFolder()
    let bad: [(String, Double)] = [
      ("step", .nan), ("step", -1), ("step", 0.5), ("stage", .infinity), ("stage_step", 1e300), ("draws", -.infinity),
      ("step", 1e30), ("best_validation", .nan), ("samples", .nan), ("samples", 1e30), ("format_version", .nan),
      ("skipped", 1e19),
    ]
    for (index, (name, value)) in bad.enumerated() {
      let path = folder.file("\(index).h5")
      try write(path, [name: [value]])
      #expect(throws: FileError.self, "\(name) \(value)") { try Checkpoint(path: path) }
    }
  }
}

import Foundation
import SprintFormats
import SprintTraining

/// What can be said about a file or a folder.
protocol Inspected: Encodable {
  /// The description as text, at most a screen of it.
  var lines: [String] { get }
}

/// A description of anything that a user may name: a data set, a checkpoint, a run, weights, or a file of others.
package struct Inspection: Encodable {
  private let content: any Inspected

  /// Inspects a file or a folder. Throws where it cannot be read, or is damaged.
  ///
  /// - Parameter importHint: says how a source of latents could be imported; nil if nothing is known
  package init(path: String, importHint: (String) -> String?) throws {
    content =
      FolderListing.isFolder(path)
      ? try Self.folder(path, importHint) : try Self.file(path, try FileKind(path: path), importHint)
  }

  private static func file(_ path: String, _ kind: FileKind, _ importHint: (String) -> String?) throws -> any Inspected
  {
    switch kind {
    case .hdf5: try hdf5(path, importHint)
    case .safetensors: try TensorsInspection(path: path)
    case .safetensorsIndex: try FileInspection.index(path)
    case .npy: try FileInspection.npy(path)
    case .npz: try FileInspection.npz(path)
    case .zip: try FileInspection.zip(path, importHint)
    case .torch, .pickle: FileInspection.pickle(path, kind)
    case .lmdb: try FileInspection.lmdb(path, importHint)
    case .png, .jpeg: try FileInspection.picture(path, kind)
    case .events: try FileInspection.events(path)
    case .json, .yaml, .text: try FileInspection.text(path, kind)
    case .gitPointer: try FileInspection.gitPointer(path)
    default: try FileInspection.other(path, kind)
    }
  }

  private static func hdf5(_ path: String, _ importHint: (String) -> String?) throws -> any Inspected {
    let file = try HDF5File(reading: path, followsOtherFiles: true)
    if file.has("/latents") || file.has("/moments") { return try DatasetInspection(path: path) }
    if file.has("/model"), file.has("/ema") { return try CheckpointInspection.orWithoutManifest(path, file) }
    return try FileInspection.hdf5(file, importHint)
  }

  private static func folder(_ path: String, _ importHint: (String) -> String?) throws -> any Inspected {
    let names = try FolderListing(path).names
    if names.contains("metrics.jsonl") || names.contains("checkpoints") { return try RunInspection(path: path) }
    if names.contains("data.mdb") { return try FileInspection.lmdb("\(path)/data.mdb", importHint) }
    return try FileInspection.folder(path, names, importHint)
  }

  /// The inspection as text, without characters that control a terminal.
  package var lines: [String] {
    content.lines.map { line in
      String(
        String.UnicodeScalarView(
          line.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
  }

  /// Whether samples can be drawn from the file.
  package var isDataset: Bool { content is DatasetInspection }

  /// Encodes the object alone.
  package func encode(to encoder: any Encoder) throws { try content.encode(to: encoder) }
}

extension DatasetInspection: Inspected {}

import SprintFormats
import SprintTraining

/// What a file holds: a data set, a checkpoint, or named tensors.
package enum Inspection: Encodable {
  /// Latents and labels.
  case dataset(DatasetInspection)
  /// A checkpoint whose fingerprint is that of its manifest.
  case checkpoint(CheckpointInspection)
  /// A safetensors file.
  case tensors(TensorsInspection)

  /// Inspects a file.
  package init(path: String) throws {
    if path.hasSuffix(".safetensors") {
      self = .tensors(try TensorsInspection(path: path))
    } else if try HDF5File(reading: path).has("/model") {
      self = .checkpoint(try CheckpointInspection(path: path))
    } else {
      self = .dataset(try DatasetInspection(path: path))
    }
  }

  /// The inspection as text.
  package var lines: [String] {
    switch self {
    case .dataset(let dataset): dataset.lines
    case .checkpoint(let checkpoint): checkpoint.lines
    case .tensors(let tensors): tensors.lines
    }
  }

  /// Encodes the object alone, without the case around it.
  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .dataset(let dataset): try dataset.encode(to: encoder)
    case .checkpoint(let checkpoint): try checkpoint.encode(to: encoder)
    case .tensors(let tensors): try tensors.encode(to: encoder)
    }
  }
}

import SprintTraining
import SprintFormats
import SprintModel

/// What a file holds: a data set, a checkpoint, or a safetensors file.
package enum Inspection: Encodable {
  /// Latents and labels.
  case dataset(DatasetInspection)
  /// A checkpoint, whose fingerprint was verified.
  case checkpoint(CheckpointInspection)
  /// Named tensors.
  case tensors(TensorsInspection)

  /// Looks into a file.
  package init(path: String) throws {
    if path.hasSuffix(".safetensors") {
      self = .tensors(try TensorsInspection(path: path))
    } else if try HDF5File(reading: path).has("/model") {
      self = .checkpoint(try CheckpointInspection(path: path))
    } else {
      self = .dataset(try DatasetInspection(path: path))
    }
  }

  /// The same in a few lines.
  package var lines: [String] {
    switch self {
    case .dataset(let dataset): dataset.lines
    case .checkpoint(let checkpoint): checkpoint.lines
    case .tensors(let tensors): tensors.lines
    }
  }

  /// The object alone, without the case around it.
  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .dataset(let dataset): try dataset.encode(to: encoder)
    case .checkpoint(let checkpoint): try checkpoint.encode(to: encoder)
    case .tensors(let tensors): try tensors.encode(to: encoder)
    }
  }
}

/// What a safetensors file holds.
package struct TensorsInspection: Encodable {
  /// One tensor.
  package struct Tensor: Encodable {
    let name, type: String
    let shape: [Int]
  }

  let tensors: [Tensor]
  let elements: Int
  let metadata: [String: String]

  init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    tensors = file.entries.sorted { $0.key < $1.key }
      .map { Tensor(name: $0.key, type: $0.value.type, shape: $0.value.shape) }
    elements = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    metadata = file.metadata
  }

  var lines: [String] {
    ["safetensors, \(tensors.count) tensors, \(elements) elements"]
      + tensors.map { "  \($0.name) \($0.type) \($0.shape)" }
  }
}

/// What a whole checkpoint holds.
package struct CheckpointInspection: Encodable {
  let step, totalSteps, weights, seed: Int
  let stage: String
  let lines: [String]

  private enum CodingKeys: CodingKey {
    case step, totalSteps, weights, seed, stage
  }

  init(path: String) throws {
    let checkpoint = try Checkpoint(path: path)
    let configuration = try checkpoint.configuration()
    let (position, model) = (checkpoint.position, configuration.model)
    let stage = configuration.stages[position.stage]
    (step, totalSteps, self.stage) = (position.step, configuration.totalSteps, stage.name)
    (weights, seed) = (ParameterLayout(model).count, Int(configuration.seed))
    lines = [
      "checkpoint, whole: size and SHA-256 are those of its manifest",
      "  step \(step) of \(totalSteps), stage \(position.stage + 1) of \(configuration.stages.count) "
        + "(`\(stage.name)`), \(position.stageStep) of \(stage.steps) updates",
      "  \(weights) weights: width \(model.width), \(model.heads) heads, "
        + "\(model.encoderDepth) + \(model.middleDepth) + \(model.decoderDepth) blocks, patch \(model.patch)",
      "  latents of \(model.channels) x \(model.side) x \(model.side), \(model.classes) classes, seed \(configuration.seed)",
    ]
  }
}

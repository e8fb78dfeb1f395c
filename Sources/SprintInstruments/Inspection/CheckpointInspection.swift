import Foundation
import SprintFormats
import SprintModel
import SprintTraining

/// The progress and the model of a checkpoint. Opening it verifies size and SHA-256.
struct CheckpointInspection: Inspected {
  let step, totalSteps, weights, seed: Int
  let stage: String
  /// What the run changed of its configuration when it resumed.
  let changes: [ConfigurationChange]
  let lines: [String]

  private enum CodingKeys: CodingKey {
    case step, totalSteps, weights, seed, stage, changes
  }

  init(path: String) throws {
    let checkpoint = try Checkpoint(path: path)
    let configuration = try checkpoint.configuration()
    let (position, model) = (checkpoint.position, configuration.model)
    let stage = configuration.stages[position.stage]
    (step, totalSteps, self.stage) = (position.step, configuration.totalSteps, stage.name)
    (weights, seed) = (ParameterLayout(model).count, Int(configuration.seed))
    changes = checkpoint.changes
    lines =
      [
        "checkpoint, whole: size and SHA-256 match its manifest",
        "  step \(step) of \(totalSteps), stage \(position.stage + 1) of \(configuration.stages.count) "
          + "(`\(stage.name)`), \(position.stageStep) of \(stage.steps) updates",
        "  \(weights) weights: width \(model.width), \(model.heads) heads, "
          + "\(model.encoderDepth) + \(model.middleDepth) + \(model.decoderDepth) blocks, patch \(model.patch)",
        "  latents of \(model.channels) x \(model.side) x \(model.side), \(model.classes) classes, "
          + "seed \(configuration.seed)",
      ] + changes.map { "  \($0.description)" }
  }
}

extension CheckpointInspection {
  /// The inspection of a checkpoint, or what can be said about one without a manifest.
  static func orWithoutManifest(_ path: String, _ file: HDF5File) throws -> any Inspected {
    guard !Checkpoint.hasManifest(path) else { return try CheckpointInspection(path: path) }
    let step = try file.numbers("step")?.first.map { "step \(Int($0))" } ?? "an unknown step"
    let manifest = (Checkpoint.manifest(of: path) as NSString).lastPathComponent
    return FileInspection(
      what: "checkpoint of \(step) without its manifest",
      notes: [
        "nobody can tell whether it is whole, so sprint does not use it",
        "copy the .manifest.json that was written beside it, under the name \(manifest)",
      ])
  }
}

import SprintModel
import SprintTraining

/// The progress and the model of a checkpoint. Opening it verifies size and SHA-256.
package struct CheckpointInspection: Encodable {
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

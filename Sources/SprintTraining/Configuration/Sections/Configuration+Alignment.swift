import SprintData
import SprintDiffusion
import SprintModel

extension Configuration {
  /// Alignment with what a data set holds of a teacher: its features, its attention, or both. REPA, arXiv 2410.06940;
  /// HASTE, arXiv 2505.16792.
  package struct Alignment: Sendable, Equatable {
    /// The factors of the losses while there is alignment.
    package var factors: LossWeights
    /// The last step with alignment; nil for no such step.
    package var lastStep: Int?
    /// Ends the alignment by the angle between its gradients and those of the denoising loss; nil for no such end.
    package var angle: AngleRule?
  }

  /// Ends the alignment once its gradients and those of the denoising loss point against each other. HASTE, arXiv
  /// 2505.16792.
  package struct AngleRule: Sendable, Equatable {
    /// The block whose gradients are compared, counted from zero.
    package var block: Int
    /// The first step with a measurement, and the steps between two.
    package var firstStep, interval: Int
    /// The least number of images of a measurement, and the times at which they are seen.
    package var images: Int
    package var times: [Float]
    /// The alignment ends below this mean cosine.
    package var threshold: Double

    /// Whether the angle is measured after so many steps.
    func isDue(after step: Int) -> Bool { step >= firstStep && step % interval == 0 }

    /// Batches of a measurement in a stage.
    func batches(in stage: Stage) -> Int { (images + stage.batch - 1) / stage.batch }
  }
}

extension Configuration.Alignment {
  /// Reads the section `alignment`, which also describes what of the model is aligned and names what the data hold of
  /// the teacher; nil without the section.
  init?(_ root: ConfigurationReader, _ model: inout ModelConfiguration, _ teacher: inout TeacherNames) throws {
    let reader = try root.section("alignment")
    guard root.has("alignment") else { return nil }
    factors = LossWeights(
      alignment: try reader.number("weight", default: 0.5, "a number from 0 to 1000", in: 0...1000),
      attention: try Self.readAttention(reader.section("attention"), &model, &teacher, isGiven: reader.has("attention"))
    )
    lastStep = reader.has("last_step") ? try reader.integer("last_step") : nil
    if reader.has("features") || teacher.attention == nil {
      teacher.features = try reader.text("features")
      model.projector = ProjectorConfiguration(
        hidden: try reader.integer("projector", default: 2048, in: ModelConfiguration.Limits.projector),
        featureWidth: try reader.integer("feature_width", in: ModelConfiguration.Limits.projector),
        afterBlock: try reader.integer("after_block"))
    }
    angle = reader.has("angle") ? try Configuration.AngleRule(reader.section("angle"), model) : nil
    try reader.finish()
    if let problem = model.problem { throw reader.error(problem.key, problem.message) }
  }

  /// Reads the section `attention`; returns the factor of its loss.
  private static func readAttention(
    _ reader: ConfigurationReader, _ model: inout ModelConfiguration, _ teacher: inout TeacherNames, isGiven: Bool
  ) throws -> Double {
    guard isGiven else { return 0 }
    teacher.attention = try reader.text("teacher")
    let alignment = AttentionAlignment(
      blocks: try reader.integers("blocks", in: 1...1_000_000).map { $0 - 1 },
      heads: try reader.integer("heads", default: min(12, model.heads)))
    model.attentionAlignment = alignment
    let factor = try reader.number("weight", default: 0.5, "a number from 0 to 1000", in: 0...1000)
    try reader.finish()
    if let problem = model.problem { throw reader.error(problem.key, problem.message) }
    return factor
  }
}

extension Configuration.AngleRule {
  init(_ reader: ConfigurationReader, _ model: ModelConfiguration) throws {
    block = try reader.integer("block", default: 5) - 1
    firstStep = try reader.integer("first_step", default: 50_000)
    interval = try reader.integer("interval", default: 10_000)
    images = try reader.integer("images", default: 2048, in: 1...1_000_000)
    let times = try reader.numbers("times", default: [0.02, 0.1, 0.5, 0.8])
    threshold = try reader.number("threshold", default: -0.05, "a number from -1 to 1", in: -1...1)
    guard times.allSatisfy({ 0...1 ~= $0 }) else { throw reader.error("times", "has to be times from 0 to 1") }
    self.times = times.map { Float($0) }
    let reached = max(model.projector?.afterBlock ?? 0, (model.attentionAlignment?.blocks.max() ?? -1) + 1)
    guard block < reached else {
      throw reader.error("block", "is \(block + 1); the gradients of the alignment reach blocks 1 to \(reached)")
    }
    try reader.finish()
  }
}

extension Configuration {
  /// Whether the step after `position` is trained with alignment.
  func isAligned(at position: TrainingPosition) -> Bool { alignedSteps(after: position) > 0 }

  /// The number of steps after `position` that are trained with alignment, unless the angle ends it.
  func alignedSteps(after position: TrainingPosition) -> Int {
    position.isAlignmentOver ? 0 : alignedSteps(after: position.step)
  }

  private func alignedSteps(after step: Int) -> Int { alignment.map { max(0, ($0.lastStep ?? .max) - step) } ?? 0 }

  /// The share of the steps of stage `index` that are trained with alignment, unless the angle ends it.
  package func alignedShare(ofStage index: Int) -> Double {
    let start = stages[..<index].reduce(0) { $0 + $1.steps }
    return min(1, Double(alignedSteps(after: start)) / Double(stages[index].steps))
  }
}

import SprintModel

extension Configuration {
  /// Alignment with a teacher's features. REPA, arXiv 2410.06940.
  package struct Alignment: Sendable, Equatable {
    /// Weight of the alignment loss.
    package var weight: Double
    /// The last step with alignment; nil for all steps. HASTE, arXiv 2505.16792.
    package var lastStep: Int?
  }
}

extension Configuration.Alignment {
  /// Reads the section `alignment`, which also describes the model's projector and names the features of the data; nil
  /// without the section.
  init?(_ root: ConfigurationReader, _ model: inout ModelConfiguration, features: inout String?) throws {
    let reader = try root.section("alignment")
    guard root.has("alignment") else { return nil }
    weight = try reader.number("weight", default: 0.5, "a number from 0 to 1000", in: 0...1000)
    lastStep = reader.has("last_step") ? try reader.integer("last_step") : nil
    features = try reader.text("features")
    model.projector = ProjectorConfiguration(
      hidden: try reader.integer("projector", default: 2048, in: ModelConfiguration.Limits.projector),
      featureWidth: try reader.integer("feature_width", in: ModelConfiguration.Limits.projector),
      afterBlock: try reader.integer("after_block"))
    try reader.finish()
    if let problem = model.problem { throw reader.error(problem.key, problem.message) }
  }
}

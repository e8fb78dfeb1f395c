import SprintDiffusion
import SprintModel

// The losses of SR-DiT's additions, arXiv 2512.12386: the class token's, and the contrast between neighbours.

extension Configuration {
  /// Reads the section `class_token`: the factor of its loss, and the name of the tokens under `/class_tokens` in the
  /// data. A network with a class token needs it, and no other has it.
  static func readClassToken(
    _ root: ConfigurationReader, _ model: ModelConfiguration
  ) throws -> (weight: Double, teacher: String?) {
    let reader = try root.section("class_token")
    guard model.classToken != nil else {
      guard root.has("class_token") else { return (0, nil) }
      throw root.error("class_token", "is there, but the model has none; give its width as `model.class_token`")
    }
    guard root.has("class_token") else {
      throw root.error(
        "class_token", "is missing; `model.class_token` needs the name of the data's: class_token: {teacher: dinov2-b}")
    }
    let teacher = try reader.text("teacher")
    let weight = try reader.number("weight", default: 0.03, "a number from 0 to 1000", in: 0...1000)
    try reader.finish()
    return (weight, teacher)
  }

  /// Reads the section `contrastive`: the factor of the contrast, 0 without the section.
  static func readContrast(_ root: ConfigurationReader) throws -> Double {
    let reader = try root.section("contrastive")
    guard root.has("contrastive") else { return 0 }
    let weight = try reader.number("weight", default: 0.05, "a number from 0 to below 1", in: 0...0.999)
    try reader.finish()
    return weight
  }

  /// The factors of the losses of a step with or without alignment.
  package func factors(aligned: Bool) -> LossWeights {
    var factors = aligned ? alignment?.factors ?? LossWeights() : LossWeights()
    (factors.classToken, factors.contrast) = (classTokenWeight, contrastWeight)
    return factors
  }
}

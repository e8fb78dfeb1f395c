import Foundation
import SprintFormats
import SprintModel

/// The numbers in a case's `sprint.case` metadata.
struct CaseRecipe {
  let model: ModelConfiguration
  let learningRate, weightDecay, clip, ema, alignmentWeight, scale: Double
  let interval: ClosedRange<Double>
  let steps, sampleSteps: Int

  init(_ file: SafetensorsFile) throws {
    func malformed(_ problem: String) -> SafetensorsError {
      .malformed(path: file.path, problem: "`sprint.case` in its metadata \(problem)")
    }
    guard let text = file.metadata["sprint.case"],
      let table = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
    else { throw malformed("is missing or not a JSON object") }
    func number(_ key: String) throws -> Double {
      guard let value = table[key] as? NSNumber else { throw malformed("lacks the number `\(key)`") }
      return value.doubleValue
    }
    func integer(_ key: String) throws -> Int {
      let value = try number(key)
      guard let exact = Int(exactly: value) else { throw malformed("`\(key)` is \(value), expected a whole number") }
      return exact
    }
    guard let depth = table["depth"] as? [Int], depth.count == 3 else { throw malformed("lacks three depths") }
    guard let fusion = (table["fusion"] as? String).flatMap(Fusion.init) else {
      throw malformed("has an unknown fusion")
    }
    guard let frozen = table["freeze"] as? [String], Set(frozen).isSubset(of: ["mask_token"]) else {
      throw malformed("freezes something else than the mask token")
    }
    var model = ModelConfiguration(
      width: try integer("width"), heads: try integer("heads"), depth: (depth[0], depth[1], depth[2]),
      side: try integer("side"), channels: try integer("channels"), patch: try integer("patch"),
      classes: try integer("classes"))
    model.mlpRatio = try number("mlp_ratio")
    model.ropeTheta = try number("rope_theta")
    model.fusion = fusion
    model.learnsMaskToken = frozen.isEmpty
    if try integer("projector") > 0 {
      model.projector = ProjectorConfiguration(
        hidden: try integer("projector"), featureWidth: try integer("feature_width"),
        afterBlock: try integer("align_after"))
    }
    if let problem = model.problem { throw malformed("`\(problem.key)` \(problem.message)") }
    self.model = model
    (learningRate, weightDecay) = (try number("lr"), try number("weight_decay"))
    (clip, ema, alignmentWeight) = (try number("clip"), try number("ema"), try number("align_weight"))
    (scale, steps, sampleSteps) = (try number("scale"), try integer("steps"), try integer("sample_steps"))
    let (low, high) = (try number("low"), try number("high"))
    guard low <= high, steps >= 1, sampleSteps >= 2 else { throw malformed("has no steps or an empty interval") }
    interval = low...high
  }
}

import Foundation
import SprintDiffusion
import SprintFormats
import SprintModel

/// The settings of a case, from `sprint.case` in the metadata of its file.
struct CaseRecipe {
  let model: ModelConfiguration
  let learningRate, weightDecay, clip, ema, scale: Double
  let interval: ClosedRange<Double>
  let steps, sampleSteps: Int
  /// The factors of the losses while there is alignment.
  let factors: LossWeights
  /// The first step without any alignment.
  let stop: Int
  /// The block whose gradients are compared, in cases of HASTE.
  let angleBlock: Int?
  /// Heads of the teacher's attention, and whether its probabilities are stored or its queries and keys.
  let teacherHeads: Int
  let teacherHasMaps: Bool

  init(_ file: SafetensorsFile) throws {
    let table = try CaseTable(file)
    let isHASTE = file.metadata["haste.case"] == "1"
    teacherHeads = isHASTE ? try table.integer("teacher_heads") : 0
    teacherHasMaps = isHASTE ? try table.choice("teacher_source", ["maps", "qk"]) == "maps" : true
    model = try CaseRecipe.model(table, isHASTE: isHASTE)
    stop = isHASTE ? try table.integer("stop") : .max
    angleBlock = isHASTE ? try table.integer("angle_block") : nil
    factors = LossWeights(
      alignment: try table.number("align_weight"), attention: isHASTE ? try table.number("attention_weight") : 0)
    (learningRate, weightDecay) = (try table.number("lr"), try table.number("weight_decay"))
    (clip, ema) = (try table.number("clip"), try table.number("ema"))
    scale = try table.number("scale")
    (steps, sampleSteps) = (try table.integer("steps"), try table.integer("sample_steps"))
    let (low, high) = (try table.number("low"), try table.number("high"))
    guard low <= high, steps >= 1, sampleSteps >= 2 else { throw table.malformed("has no steps or an empty interval") }
    interval = low...high
    if let angleBlock, !(0..<model.blocks ~= angleBlock) {
      throw table.malformed("`angle_block` is \(angleBlock); the model has \(model.blocks) blocks")
    }
  }

  private static func model(_ table: CaseTable, isHASTE: Bool) throws -> ModelConfiguration {
    guard let depth = table["depth"] as? [Int], depth.count == 3 else { throw table.malformed("lacks three depths") }
    guard let fusion = (table["fusion"] as? String).flatMap(Fusion.init) else {
      throw table.malformed("has an unknown fusion")
    }
    guard let frozen = table["freeze"] as? [String], Set(frozen).isSubset(of: ["mask_token"]) else {
      throw table.malformed("freezes something else than the mask token")
    }
    var model = ModelConfiguration(
      width: try table.integer("width"), heads: try table.integer("heads"), depth: (depth[0], depth[1], depth[2]),
      side: try table.integer("side"), channels: try table.integer("channels"), patch: try table.integer("patch"),
      classes: try table.integer("classes"))
    model.mlpRatio = try table.number("mlp_ratio")
    model.ropeTheta = try table.number("rope_theta")
    model.fusion = fusion
    model.learnsMaskToken = frozen.isEmpty
    model.projector = try projector(table)
    if isHASTE { model.attentionAlignment = try attentionAlignment(table, model) }
    if let problem = model.problem { throw table.malformed("`\(problem.key)` \(problem.message)") }
    return model
  }

  private static func attentionAlignment(_ table: CaseTable, _ model: ModelConfiguration) throws -> AttentionAlignment?
  {
    guard let blocks = table["attention_blocks"] as? [Int] else { throw table.malformed("lacks `attention_blocks`") }
    guard !blocks.isEmpty else { return nil }
    return AttentionAlignment(blocks: blocks, heads: min(model.heads, try table.integer("teacher_heads")))
  }

  private static func projector(_ table: CaseTable) throws -> ProjectorConfiguration? {
    let hidden = try table.integer("projector")
    guard hidden > 0 else { return nil }
    return ProjectorConfiguration(
      hidden: hidden, featureWidth: try table.integer("feature_width"), afterBlock: try table.integer("align_after"))
  }
}

/// The JSON object in `sprint.case`.
private struct CaseTable {
  private let path: String
  private let entries: [String: Any]

  init(_ file: SafetensorsFile) throws {
    path = file.path
    guard let text = file.metadata["sprint.case"],
      let entries = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
    else { throw CaseTable.malformed(path, "is missing or not a JSON object") }
    self.entries = entries
  }

  subscript(key: String) -> Any? { entries[key] }

  func number(_ key: String) throws -> Double {
    guard let value = entries[key] as? NSNumber else { throw malformed("lacks the number `\(key)`") }
    return value.doubleValue
  }

  func integer(_ key: String) throws -> Int {
    let value = try number(key)
    guard let exact = Int(exactly: value) else { throw malformed("`\(key)` is \(value), expected a whole number") }
    return exact
  }

  func choice(_ key: String, _ choices: [String]) throws -> String {
    guard let text = entries[key] as? String, choices.contains(text) else {
      throw malformed("`\(key)` is none of \(choices.joined(separator: ", "))")
    }
    return text
  }

  func malformed(_ problem: String) -> FileError { CaseTable.malformed(path, problem) }

  private static func malformed(_ path: String, _ problem: String) -> FileError {
    .unusable(path: path, problem: "`sprint.case` in its metadata \(problem)")
  }
}

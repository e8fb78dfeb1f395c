import Foundation
import SprintDiffusion
import SprintFormats
import SprintModel

/// The settings of a case, from `sprint.case` or `srdit.case` in the metadata of its file.
struct CaseRecipe {
  /// Whose method the case belongs to.
  enum Method {
    case sprint, haste, srdit
  }

  let method: Method
  let model: ModelConfiguration
  let learningRate, weightDecay, clip, ema, scale: Double
  /// The guidance of the class token, where there is one, and the shift of all times.
  let classTokenScale: Double?
  let timeShift: TimeShift
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
    method = table.isSRDiT ? .srdit : isHASTE ? .haste : .sprint
    teacherHeads = isHASTE ? try table.integer("teacher_heads") : 0
    teacherHasMaps = isHASTE ? try table.choice("teacher_source", ["maps", "qk"]) == "maps" : true
    model = try table.isSRDiT ? CaseRecipe.srdit(table) : CaseRecipe.model(table, isHASTE: isHASTE)
    stop = isHASTE ? try table.integer("stop") : .max
    angleBlock = isHASTE ? try table.integer("angle_block") : nil
    factors = try CaseRecipe.factors(table, method)
    let base = table.isSRDiT ? try table.number("shift_base") : 0
    timeShift = base > 0 ? TimeShift(elements: model.latentElements, base: base) : TimeShift()
    // Without a scale of its own the class token follows the conditional branch.
    classTokenScale = table.isSRDiT ? try table.number("token_scale") > 0 ? table.number("token_scale") : 1 : nil
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

  private static func factors(_ table: CaseTable, _ method: Method) throws -> LossWeights {
    var factors = LossWeights(alignment: try table.number("align_weight"))
    if method == .haste { factors.attention = try table.number("attention_weight") }
    if method == .srdit {
      factors.classToken = try table.number("class_weight")
      factors.contrast = try table.number("contrast_weight")
    }
    return factors
  }

  /// The network of SR-DiT, which has all of its parts.
  private static func srdit(_ table: CaseTable) throws -> ModelConfiguration {
    var model = try size(table)
    (model.norm, model.mixesValues, model.position) = (.rms, true, .rotaryAndSines)
    (model.fusion, model.outputOrder, model.learnsMaskToken) = (.shallowFirst, .channelLast, true)
    model.headNormEpsilon = try table.number("qk_eps")
    model.classToken = try table.integer("feature_width")
    model.projector = ProjectorConfiguration(
      hidden: try table.integer("projector"), featureWidth: try table.integer("feature_width"),
      afterBlock: model.encoderDepth)
    if let problem = model.problem { throw table.malformed("`\(problem.key)` \(problem.message)") }
    return model
  }

  /// What every case says about its network.
  private static func size(_ table: CaseTable) throws -> ModelConfiguration {
    guard let depth = table["depth"] as? [Int], depth.count == 3 else { throw table.malformed("lacks three depths") }
    var model = ModelConfiguration(
      width: try table.integer("width"), heads: try table.integer("heads"), depth: (depth[0], depth[1], depth[2]),
      side: try table.integer("side"), channels: try table.integer("channels"), patch: try table.integer("patch"),
      classes: try table.integer("classes"))
    model.mlpRatio = try table.number("mlp_ratio")
    model.ropeTheta = try table.number("rope_theta")
    return model
  }

  private static func model(_ table: CaseTable, isHASTE: Bool) throws -> ModelConfiguration {
    var model = try size(table)
    guard let fusion = (table["fusion"] as? String).flatMap(Fusion.init) else {
      throw table.malformed("has an unknown fusion")
    }
    guard let frozen = table["freeze"] as? [String], Set(frozen).isSubset(of: ["mask_token"]) else {
      throw table.malformed("freezes something else than the mask token")
    }
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

/// The JSON object in `sprint.case` or `srdit.case`.
private struct CaseTable {
  /// Whether it is a case of SR-DiT.
  let isSRDiT: Bool
  private let path: String
  private let entries: [String: Any]

  init(_ file: SafetensorsFile) throws {
    path = file.path
    isSRDiT = file.metadata["srdit.case"] != nil
    guard let text = file.metadata["sprint.case"] ?? file.metadata["srdit.case"],
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

import SprintCommunication
import SprintDiffusion
import SprintModel

/// Everything that makes up a training run.
package struct Configuration: Sendable {
  /// The data sets.
  package struct Data: Sendable, Equatable {
    /// Files to train on.
    package var train: [String]
    /// Files that are held out; empty for none.
    package var validation: [String]
    /// Whether images are mirrored at random.
    package var flips: Bool
    /// Name of the teacher's features, where alignment is on.
    package var features: String?
  }

  /// Alignment with a teacher's features. REPA, arXiv 2410.06940.
  package struct Alignment: Sendable, Equatable {
    /// Weight of the alignment loss.
    package var weight: Double
    /// The last step with alignment, or nil for all; HASTE, arXiv 2505.16792.
    package var lastStep: Int?
  }

  /// What happens on a loss or gradient norm that is not finite.
  package enum NonFinite: String, Sendable, CaseIterable {
    /// Training stops with a message.
    case stop
    /// The update is left out and counted.
    case skip
  }

  /// When checkpoints are written and how many are kept.
  package struct Checkpoints: Sendable, Equatable {
    /// What happens when one cannot be written.
    package enum Failure: String, Sendable, CaseIterable {
      /// Training goes on, the next one is tried when it is due.
      case goOn = "continue"
      /// Training stops with a message.
      case stop
    }

    /// Steps between checkpoints.
    package var interval: Int
    /// How many of the newest are kept; with none nothing is ever saved.
    package var keep: Int
    /// Besides these, those of every so many steps are kept for ever, if any.
    package var keepEvery: Int?
    /// What happens when one cannot be written.
    package var onFailure: Failure
    /// Whether training goes on while one is written, for which rank zero needs four times the weights' memory.
    package var isBackground: Bool

    /// Whether any is written at all.
    package var isOn: Bool { keep > 0 }
  }

  /// How ranks share the work.
  package struct Distribution: Sendable, Equatable {
    /// Whether every rank keeps and updates its own shards of average and moments, instead of all of them.
    package var isSharded: Bool
    /// How gradients travel.
    package var wire: GradientReduction.Wire
    /// Seconds within which a rank that has stopped is found.
    package var timeout: Double
  }

  /// The loss on held-out data.
  package struct Validation: Sendable, Equatable {
    /// Steps between validations.
    package var interval: Int
    /// Samples looked at, the same ones every time.
    package var samples: Int
  }

  /// Pictures drawn during training.
  package struct Samples: Sendable, Equatable {
    /// Steps between pictures, or nil for none.
    package var interval: Int?
    /// Images of each class.
    package var perClass: Int
    /// Which classes.
    package var classes: [Int]
    /// How they are drawn.
    package var sampler: SamplerSettings
  }

  /// Seed of everything random.
  package var seed: UInt64
  /// Worker threads, or nil for one a core.
  package var threads: Int?
  /// What the backward pass computes once more to save memory.
  package var recompute: PassSize.Recompute
  /// The network.
  package var model: ModelConfiguration
  /// The data sets.
  package var data: Data
  /// The path between data and noise.
  package var interpolant: Interpolant
  /// How training times are drawn.
  package var time: TimeDistribution
  /// AdamW's constants.
  package var optimizer: AdamWConfiguration
  /// Gradients are clipped to this norm, if at all.
  package var clip: Double?
  /// Alignment, where it is on.
  package var alignment: Alignment?
  /// The stages, one after another.
  package var stages: [Stage]
  /// How ranks share the work.
  package var distribution: Distribution
  /// What happens on numbers that are not finite.
  package var nonFinite: NonFinite
  /// Checkpoints.
  package var checkpoint: Checkpoints
  /// Validation, where there is held-out data.
  package var validation: Validation
  /// Pictures during training.
  package var samples: Samples
  /// Steps between lines of the log.
  package var logInterval: Int
  /// Whether curves and pictures are written for TensorBoard.
  package var writesTensorBoard: Bool
  /// Every key with its value, defaults included.
  package private(set) var entries: [(key: String, value: String)] = []
  /// The document that it was read from.
  package private(set) var text: String

  /// Steps of all stages together.
  package var totalSteps: Int { stages.reduce(0) { $0 + $1.steps } }

  /// Reads and checks a document as a whole.
  package init(_ document: ConfigurationDocument) throws {
    let record = ConfigurationReader.Record(source: document.source, overridden: document.overridden)
    let root = try ConfigurationReader(document.node, path: "", record: record)
    seed = UInt64(try root.integer("seed", default: 0, in: 0...Int.max))
    threads = root.has("threads") ? try root.integer("threads", in: 1...4096) : nil
    let memory = try root.section("memory")
    recompute = try memory.choice("recompute", default: PassSize.Recompute.none)
    try memory.finish()
    model = try ModelConfiguration(root.section("model"))
    data = try Data(root.section("data"))
    let diffusion = try root.section("diffusion")
    interpolant = try diffusion.choice("path", default: .straight)
    time = try diffusion.choice("time", default: .lognormal)
    try diffusion.finish()
    let optimizer = try root.section("optimizer")
    self.optimizer = try AdamWConfiguration(optimizer)
    clip = try optimizer.number("clip", default: 1, "a number, at least 0; 0 for no clipping") { $0 >= 0 }
    clip = clip == 0 ? nil : clip
    try optimizer.finish()
    alignment = try Alignment(root, &model, features: &data.features)
    let listed = try root.sections("stages") ?? Stage.published.indices.map { try root.empty("stages[\($0)]") }
    let budget =
      root.has("compute_budget") ? try root.number("compute_budget", "a positive number of FLOP") { $0 > 0 } : nil
    stages = try listed.enumerated().map { [model] in try Stage($1, index: $0, model, budget: budget) }
    distribution = try Distribution(root.section("distribution"))
    if alignment != nil, data.flips {
      throw root.error("data", "has `flip: true`, but the features of mirrored images are not stored; set it to false")
    }
    nonFinite = try root.choice("non_finite", default: .stop)
    let checkpoint = try root.section("checkpoint")
    self.checkpoint = Checkpoints(
      interval: try checkpoint.integer("interval", default: 10_000),
      keep: try checkpoint.integer("keep", default: 3, in: 0...Int.max),
      keepEvery: checkpoint.has("keep_every") ? try checkpoint.integer("keep_every") : nil,
      onFailure: try checkpoint.choice("on_failure", default: .goOn),
      isBackground: try checkpoint.boolean("background", default: true))
    try checkpoint.finish()
    let validation = try root.section("validation")
    self.validation = Validation(
      interval: try validation.integer("interval", default: 10_000),
      samples: try validation.integer("samples", default: 1024))
    try validation.finish()
    if let stage = stages.first(where: { $0.plateau != nil }), data.validation.isEmpty {
      throw root.error("data", "has no `validation`, on whose loss the plateau of stage `\(stage.name)` is to be seen")
    }
    samples = try Samples(root.section("samples"), model, interpolant)
    let log = try root.section("log")
    logInterval = try log.integer("interval", default: 50)
    writesTensorBoard = try log.boolean("tensorboard", default: true)
    try log.finish()
    try root.finish()
    entries = record.values
    text = try document.text()
  }

  /// Keys whose values differ from another configuration's and change what is learnt; where files lie, how often something is
  /// written, the number of threads and how ranks share the work may differ.
  package func differences(from other: Configuration) -> [(key: String, own: String, other: String)] {
    let free =
      ["threads", "data.train", "data.validation", "checkpoint.", "samples.", "log.", "distribution.", "memory."]
      // Where a plateau ends a stage, validations decide on what is learnt.
      + (stages.contains { $0.plateau != nil } ? [] : ["validation."])
    let (own, theirs) = (Dictionary(entries) { $1 }, Dictionary(other.entries) { $1 })
    return Set(own.keys).union(theirs.keys).sorted().compactMap { key in
      guard own[key] != theirs[key], !free.contains(where: { key.hasPrefix($0) }) else { return nil }
      return (key, own[key] ?? "not set", theirs[key] ?? "not set")
    }
  }
}

extension ModelConfiguration {
  fileprivate init(_ reader: ConfigurationReader) throws {
    var (width, heads, depth): (Int?, Int?, [Int]?) = (nil, nil, nil)
    if reader.has("size") {
      let name = try reader.text("size")
      guard let size = Self.sizes[name] else {
        throw reader.error("size", "is `\(name)`, expected one of S, B, L, XL; or give width, heads and depth")
      }
      (width, heads, depth) = (size.width, size.heads, [size.depth.encoder, size.depth.middle, size.depth.decoder])
    }
    width = try reader.integer("width", default: width)
    heads = try reader.integer("heads", default: heads)
    let depths = try reader.integers("depth", default: depth)
    guard depths.count == 3 else {
      throw reader.error("depth", "has \(depths.count) numbers, expected three: encoder, middle and decoder blocks")
    }
    self.init(
      width: width ?? 0, heads: heads ?? 0, depth: (depths[0], depths[1], depths[2]),
      side: try reader.integer("side", in: 1...4096),
      channels: try reader.integer("channels", in: 1...4096),
      patch: try reader.integer("patch", default: 2, in: 1...4096),
      classes: try reader.integer("classes", in: 1...1_000_000))
    mlpRatio = try reader.number("mlp_ratio", default: 4, "a positive number, at most 64") { $0 > 0 && $0 <= 64 }
    ropeTheta = try reader.number("rope_theta", default: 10000, "a positive number") { $0 > 0 }
    fusion = try reader.choice("fusion", default: .concatLinear)
    let mask: MaskToken = try reader.choice("mask_token", default: .fixed)
    learnsMaskToken = mask == .learned
    try reader.finish()
    if let problem { throw reader.error(problem.key, problem.message) }
  }

  private enum MaskToken: String, CaseIterable {
    case fixed, learned
  }
}

extension Configuration.Data {
  fileprivate init(_ reader: ConfigurationReader) throws {
    train = try reader.texts("train")
    validation = try reader.texts("validation", default: [])
    flips = try reader.boolean("flip", default: false)
    try reader.finish()
  }
}

extension AdamWConfiguration {
  fileprivate init(_ reader: ConfigurationReader) throws {
    self.init()
    beta1 = try reader.number("beta1", default: beta1, "a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    beta2 = try reader.number("beta2", default: beta2, "a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    epsilon = try reader.number("epsilon", default: epsilon, "a positive number") { $0 > 0 }
    weightDecay = try reader.number("weight_decay", default: weightDecay, "a number, at least 0") { $0 >= 0 }
  }
}

extension Configuration.Alignment {
  /// Reads the section `alignment`, which also gives the model its projector and the data its features.
  fileprivate init?(_ root: ConfigurationReader, _ model: inout ModelConfiguration, features: inout String?) throws {
    let reader = try root.section("alignment")
    guard root.has("alignment") else { return nil }
    weight = try reader.number("weight", default: 0.5, "a number, at least 0") { $0 >= 0 }
    lastStep = reader.has("last_step") ? try reader.integer("last_step") : nil
    features = try reader.text("features")
    model.projector = ProjectorConfiguration(
      hidden: try reader.integer("projector", default: 2048, in: 1...1_000_000),
      featureWidth: try reader.integer("feature_width", in: 1...1_000_000),
      afterBlock: try reader.integer("after_block"))
    try reader.finish()
    if let problem = model.problem { throw reader.error(problem.key, problem.message) }
  }
}

extension Configuration.Distribution {
  fileprivate init(_ reader: ConfigurationReader) throws {
    isSharded = try reader.boolean("sharded", default: true)
    wire = try reader.choice("wire", default: .float32)
    timeout = try reader.number("timeout", default: 60, "a number of seconds, at least 5") { $0 >= 5 }
    try reader.finish()
  }
}

extension Configuration.Samples {
  fileprivate init(_ reader: ConfigurationReader, _ model: ModelConfiguration, _ interpolant: Interpolant) throws {
    interval = reader.has("interval") ? try reader.integer("interval") : nil
    perClass = try reader.integer("per_class", default: 4, in: 1...1000)
    classes = try reader.integers("classes", default: Array(0..<min(10, model.classes)))
    if let bad = classes.first(where: { $0 >= model.classes }) {
      throw reader.error("classes", "names class \(bad), the model has \(model.classes)")
    }
    let method: SamplerSettings.Method = try reader.choice("sampler", default: .ode)
    let kind: Guidance.Kind = try reader.choice("guidance", default: Guidance.Kind.none)
    if kind == .pathDrop, model.fusion == .none {
      throw reader.error("guidance", "is pdg, which needs a fusion of two paths; the model has fusion none")
    }
    let interval = try reader.numbers("guidance_interval", default: [0, 1])
    guard interval.count == 2, 0 <= interval[0], interval[0] <= interval[1], interval[1] <= 1 else {
      throw reader.error("guidance_interval", "has to be two times in ascending order, from 0 to 1")
    }
    sampler = SamplerSettings(
      method: method, steps: try reader.integer("steps", default: 25, in: 2...100_000),
      guidance: Guidance(
        kind, scale: try reader.number("scale", default: 1), interval: interval[0]...interval[1],
        keepsClass: try reader.boolean("keep_class", default: false)), interpolant: interpolant)
    try reader.finish()
  }
}

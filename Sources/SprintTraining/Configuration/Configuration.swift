import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel

/// The settings of a training run.
package struct Configuration: Sendable {
  /// What happens when a loss or a gradient norm is not finite.
  package enum NonFinite: String, Sendable, CaseIterable {
    /// Training stops with a message.
    case stop
    /// Training skips the update and counts it.
    case skip
  }

  /// Seed of all random numbers.
  package var seed: UInt64
  /// Worker threads of each process; nil for one per core.
  package var threads: Int?
  /// The number format of the products in training.
  package var precision: Precision
  /// What the backward pass computes again to save memory.
  package var recompute: PassSize.Recompute
  /// The network.
  package var model: ModelConfiguration
  /// The data sets.
  package var data: Data
  /// The path between data and noise.
  package var interpolant: Interpolant
  /// The distribution of training times, and the shift of these and the sampler's.
  package var time: TimeDistribution
  package var timeShift: TimeShift
  /// AdamW's constants.
  package var optimizer: AdamWConfiguration
  /// The largest norm of the gradients, to which longer ones are clipped; nil for no clipping.
  package var clip: Double?
  /// Alignment with a teacher; nil for none.
  package var alignment: Alignment?
  /// The factor of the class token's loss, and that of the contrast between neighbours in a batch.
  package var classTokenWeight, contrastWeight: Double
  /// The stages in order.
  package var stages: [Stage]
  /// How ranks share the work.
  package var distribution: Distribution
  /// What happens when numbers are not finite.
  package var nonFinite: NonFinite
  /// When checkpoints are written and kept.
  package var checkpoint: Checkpoints
  /// How the loss on held-out data is computed.
  package var validation: Validation
  /// Which pictures are drawn during training.
  package var samples: Samples
  /// Steps between lines of the log.
  package var logInterval: Int
  /// Whether curves and pictures are written for TensorBoard.
  package var writesTensorBoard: Bool
  /// Every key with its value, defaults included.
  package private(set) var entries: [(key: String, value: String)] = []
  /// The document that the configuration was read from, as YAML.
  package private(set) var text: String

  /// Reads a document and checks it as a whole.
  package init(_ document: ConfigurationDocument) throws {
    let record = ConfigurationReader.Record(document)
    let root = try ConfigurationReader(document.node, path: "", record: record)
    try root.checkKeys()
    seed = UInt64(try root.integer("seed", default: 0, in: 0...Int.max))
    threads = root.has("threads") ? try root.integer("threads", in: 1...4096) : nil
    precision = try root.choice("precision", default: .float32)
    recompute = try Self.readRecompute(root.section("memory"))
    model = try ModelConfiguration(root.section("model"))
    data = try Data(root.section("data"))
    (interpolant, time, timeShift) = try Self.readDiffusion(root.section("diffusion"), model)
    (optimizer, clip) = try Self.readOptimizer(root.section("optimizer"))
    alignment = try Alignment(root, &model, &data.teacher)
    (classTokenWeight, data.teacher.classTokens) = try Self.readClassToken(root, model)
    contrastWeight = try Self.readContrast(root)
    stages = try Stage.readAll(root, model)
    distribution = try Distribution(root.section("distribution"))
    nonFinite = try root.choice("non_finite", default: .stop)
    checkpoint = try Checkpoints(root.section("checkpoint"))
    validation = try Validation(root.section("validation"))
    samples = try Samples(root.section("samples"), model, interpolant, timeShift)
    (logInterval, writesTensorBoard) = try Self.readLog(root.section("log"))
    try root.finish()
    entries = record.values
    text = try document.text()
    try checkData(root)
  }

  private static func readRecompute(_ reader: ConfigurationReader) throws -> PassSize.Recompute {
    let recompute: PassSize.Recompute = try reader.choice("recompute", default: PassSize.Recompute.none)
    try reader.finish()
    return recompute
  }

  private static func readDiffusion(
    _ reader: ConfigurationReader, _ model: ModelConfiguration
  ) throws -> (Interpolant, TimeDistribution, TimeShift) {
    let interpolant: Interpolant = try reader.choice("path", default: .straight)
    let time: TimeDistribution = try reader.choice("time", default: .lognormal)
    let base = try reader.number(
      "time_shift", default: 0, "a number of elements from 1 to 1e9, or 0 for no shift"
    ) { $0 == 0 || 1...1e9 ~= $0 }
    try reader.finish()
    return (interpolant, time, base == 0 ? TimeShift() : TimeShift(elements: model.latentElements, base: base))
  }

  private static func readOptimizer(_ reader: ConfigurationReader) throws -> (AdamWConfiguration, clip: Double?) {
    let optimizer = try AdamWConfiguration(reader)
    let clip = try reader.number("clip", default: 1, "a number from 0 to 1e12; 0 for no clipping", in: 0...1e12)
    try reader.finish()
    return (optimizer, clip == 0 ? nil : clip)
  }

  private static func readLog(_ reader: ConfigurationReader) throws -> (interval: Int, writesTensorBoard: Bool) {
    let interval = try reader.integer("interval", default: 50)
    let writesTensorBoard = try reader.boolean("tensorboard", default: true)
    try reader.finish()
    return (interval, writesTensorBoard)
  }

  /// Throws if the data lack what a plateau needs.
  private func checkData(_ root: ConfigurationReader) throws {
    if let stage = stages.first(where: { $0.plateau != nil }), data.validation.isEmpty {
      throw root.error("data", "has no `validation`; the plateau of stage `\(stage.name)` needs a validation loss")
    }
  }
}

extension Configuration {
  /// The number of steps of all stages.
  package var totalSteps: Int { stages.reduce(0) { $0 + $1.steps } }

  /// M, the number of tokens that the middle blocks compute in a stage.
  package func keptTokens(in stage: Stage) -> Int { stage.drop.keptCount(in: model) }
}

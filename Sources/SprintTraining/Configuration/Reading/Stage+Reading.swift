import SprintModel

extension Stage {
  /// Reads the list `stages`; without it returns the published stages.
  static func readAll(_ root: ConfigurationReader, _ model: ModelConfiguration) throws -> [Stage] {
    let readers = try root.sections("stages") ?? published.indices.map { try root.empty("stages[\($0)]") }
    guard readers.count <= mostStages else {
      throw root.error("stages", "has \(readers.count) entries, expected at most \(mostStages)")
    }
    let budget =
      root.has("compute_budget") ? try root.number("compute_budget", "a positive number of FLOP") { $0 > 0 } : nil
    let stages = try readers.enumerated().map { try Stage($1, index: $0, model, budget: budget) }
    let samples = stages.reduce(0) { $0 + Double($1.steps) * Double($1.batch) }
    // A checkpoint stores the number of draws as a double.
    guard samples <= 0x1p53 else {
      throw root.error("stages", "draw \(samples) samples in all, more than the 2^53 that sprint can count")
    }
    return stages
  }

  private static let mostStages = 1000

  /// Reads stage `index`. Settings that are left out have the values of the published stage with this index, or of the
  /// last published stage.
  ///
  /// - Parameter budget: FLOP of the whole run, of which a stage may take a `share` instead of a number of steps
  private init(_ reader: ConfigurationReader, index: Int, _ model: ModelConfiguration, budget: Double?) throws {
    let published = Stage.published[min(index, 1)]
    name = try reader.line("name", default: index == 0 ? "masked" : index == 1 ? "full" : "stage \(index + 1)")
    batch = try reader.integer("batch", default: published.batch, in: 1...1_000_000)
    drop = try TokenDrop(reader.section("drop"), default: published.drop, model, in: reader)
    let stepWork = model.trainingWork(kept: drop.keptCount(in: model)) * Double(batch)
    steps =
      try Self.readShare(reader, budget: budget, stepWork: stepWork)
      ?? reader.integer("steps", default: index < 2 ? published.steps : nil)
    accumulate = try reader.integer("accumulate", default: 1, in: 1...1_000_000)
    guard batch % accumulate == 0 else {
      throw reader.error("accumulate", "is \(accumulate), which does not divide the batch of \(batch)")
    }
    learningRate = try reader.number(
      "learning_rate", default: published.learningRate, "a positive number, at most 1e30", in: 0.0.nextUp...1e30)
    (warmup, warmupStart) = try Self.readWarmup(reader, published)
    (schedule, finalRate) = try Self.readSchedule(reader)
    pathDrop = try reader.probability("path_drop", default: published.pathDrop)
    dropsPathsTogether = try Self.readPathDropUnit(reader) == .batch
    labelDrop = try reader.probability("label_drop", default: published.labelDrop)
    (ema, earlyEMA) = try Self.readAverage(reader, published)
    emaWarmup = try reader.boolean("ema_warmup", default: false)
    start = try reader.choice("start_from", default: .ema)
    plateau = try Plateau(reader)
    try reader.finish()
  }
}

extension Stage {
  private enum PathDropUnit: String, CaseIterable {
    case sample, batch
  }

  private static func readPathDropUnit(_ reader: ConfigurationReader) throws -> PathDropUnit {
    try reader.choice("path_drop_per", default: .sample)
  }

  /// Reads the warm-up. The published start belongs to the published warm-up: a configuration with another one has the
  /// start that it gives.
  private static func readWarmup(
    _ reader: ConfigurationReader, _ published: Stage
  ) throws -> (updates: Int, start: Double?) {
    let start = reader.has("warmup") ? nil : published.warmupStart
    let updates = try reader.integer(
      "warmup", default: published.warmup, in: 0...ConfigurationReader.counts.upperBound)
    guard start != nil || reader.has("warmup_start") else { return (updates, nil) }
    return (updates, try reader.number("warmup_start", default: start, "a share from 0 to 1", in: 0...1))
  }

  private static func readSchedule(_ reader: ConfigurationReader) throws -> (Schedule, finalRate: Double) {
    let schedule: Schedule = try reader.choice("learning_rate_schedule", default: .linear)
    let finalRate = try reader.number("final_rate", default: 1, "a share from 0 to 1", in: 0...1)
    guard schedule != .constant || finalRate == 1 else {
      throw reader.error("final_rate", "is \(finalRate), but `learning_rate_schedule` is constant; leave out one")
    }
    return (schedule, finalRate)
  }

  /// Reads the decays of the average. The published early decay belongs to the published average.
  private static func readAverage(
    _ reader: ConfigurationReader, _ published: Stage
  ) throws -> (decay: Double, early: EarlyDecay?) {
    func decay(_ key: String, _ value: Double?) throws -> Double {
      try reader.number(key, default: value, "a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    }
    let early = reader.has("ema") ? nil : published.earlyEMA
    let ema = try decay("ema", published.ema)
    guard early != nil || reader.has("early_ema") || reader.has("early_ema_updates") else { return (ema, nil) }
    return (
      ema,
      EarlyDecay(
        try decay("early_ema", early?.decay), updates: try reader.integer("early_ema_updates", default: early?.updates))
    )
  }

  /// Reads `share` and returns the number of steps that it buys; nil without the key.
  ///
  /// - Parameters:
  ///   - budget: FLOP of the whole run
  ///   - stepWork: FLOP of a step
  private static func readShare(_ reader: ConfigurationReader, budget: Double?, stepWork: Double) throws -> Int? {
    guard reader.has("share") else { return nil }
    guard let budget else { throw reader.error("share", "is a share of `compute_budget`, which is not set") }
    guard !reader.has("steps") else { throw reader.error("share", "and `steps` say the same thing; give one of them") }
    let share = try reader.number("share", "a share above 0, at most 1") { $0 > 0 && $0 <= 1 }
    guard share * budget / stepWork <= Double(ConfigurationReader.counts.upperBound) else {
      throw reader.error("share", "makes more than 1e12 steps")
    }
    return max(1, Int(share * budget / stepWork))
  }
}

extension Stage.Plateau {
  fileprivate init?(_ stage: ConfigurationReader) throws {
    let reader = try stage.section("plateau")
    guard stage.has("plateau") else { return nil }
    patience = try reader.integer("patience", default: 3)
    threshold = try reader.number("threshold", default: 0.001, "a share from 0 to below 1") { $0 >= 0 && $0 < 1 }
    try reader.finish()
  }
}

import SprintModel

/// One stretch of training with constant settings: masked pre-training, full-token fine-tuning, or another.
package struct Stage: Sendable, Equatable {
  /// Which weights a stage starts from.
  package enum Start: String, Sendable, CaseIterable {
    /// The moving average of the stage before.
    case ema
    /// The trained weights of the stage before.
    case model
  }

  /// When a stage is over before its last step: the validation loss no longer falls.
  package struct Plateau: Sendable, Equatable {
    /// How many validations in a row have to bring no gain.
    package var patience: Int
    /// The relative fall of the loss that counts as a gain.
    package var threshold: Double

    /// A plateau of so many validations.
    package init(patience: Int, threshold: Double) { (self.patience, self.threshold) = (patience, threshold) }
  }

  /// What the stage is called in logs.
  package var name: String
  /// Updates; the most of them where the stage ends at a plateau.
  package var steps: Int
  /// What ends the stage early, if anything.
  package var plateau: Plateau? = nil
  /// Samples of one update.
  package var batch: Int
  /// Parts in which an update's samples are computed one after another, to save memory.
  package var accumulate: Int
  /// The highest learning rate.
  package var learningRate: Double
  /// Updates over which the learning rate rises from zero.
  package var warmup: Int
  /// The share of the learning rate that is left at the last update; it falls linearly after the warm-up.
  package var finalRate: Double
  /// Which tokens the deep path keeps.
  package var drop: TokenDrop
  /// Probability that a sample's deep path is replaced by the mask token.
  package var pathDrop: Double
  /// Probability that a sample's class is replaced by "no class".
  package var labelDrop: Double
  /// e in ema = e · ema + (1 - e) · weights.
  package var ema: Double
  /// Whether e starts as (1 + i) / (10 + i).
  package var emaWarmup: Bool
  /// Which weights the stage starts from; the first stage starts from initial ones.
  package var start: Start

  /// The published schedule: long masked pre-training, short full-token fine-tuning. arXiv 2510.21986.
  package static let published = [
    Stage(
      name: "masked", steps: 1_000_000, batch: 256, accumulate: 1, learningRate: 1e-4, warmup: 0, finalRate: 1,
      drop: .structured(group: 2, kept: 1), pathDrop: 0.1, labelDrop: 0.1, ema: 0.9999, emaWarmup: false, start: .ema),
    Stage(
      name: "full", steps: 100_000, batch: 256, accumulate: 1, learningRate: 1e-4, warmup: 0, finalRate: 1, drop: .none,
      pathDrop: 0.1, labelDrop: 0.1, ema: 0.9999, emaWarmup: false, start: .ema),
  ]

  /// The learning rate of update `step`, counted from zero: up over the warm-up, then down to the final share.
  package func learningRate(at step: Int) -> Double {
    if step < warmup { return learningRate * Double(step + 1) / Double(warmup) }
    let rest = max(1, steps - warmup - 1)
    return learningRate * (1 - (1 - finalRate) * Double(min(step - warmup, rest)) / Double(rest))
  }

  /// The decay of the moving average at update `step`, counted from zero.
  package func emaDecay(at step: Int) -> Double {
    emaWarmup ? min(ema, (1 + Double(step)) / (10 + Double(step))) : ema
  }
}

extension Stage {
  /// Reads stage `index`; what is left out is as in the published stage of the same place.
  ///
  /// - Parameter budget: FLOP of the whole run, of which a stage may take a `share` instead of a number of steps
  init(_ reader: ConfigurationReader, index: Int, _ network: ModelConfiguration, budget: Double?) throws {
    let model = Stage.published[min(index, 1)]
    name = try reader.text("name", default: index == 0 ? "masked" : index == 1 ? "full" : "stage \(index + 1)")
    batch = try reader.integer("batch", default: model.batch, in: 1...1_000_000)
    drop = try TokenDrop(reader.section("drop"), default: model.drop, grid: network.grid, in: reader)
    if reader.has("share") {
      guard let budget else { throw reader.error("share", "is a share of `compute_budget`, which is not set") }
      guard !reader.has("steps") else {
        throw reader.error("share", "and `steps` say the same thing; give one of them")
      }
      let share = try reader.number("share", "a share above 0, at most 1") { $0 > 0 && $0 <= 1 }
      let work = network.trainingWork(kept: drop.keptCount(grid: network.grid)) * Double(batch)
      guard share * budget / work < 1e12 else { throw reader.error("share", "makes more than 1e12 steps") }
      steps = max(1, Int(share * budget / work))
    } else {
      steps = try reader.integer("steps", default: index < 2 ? model.steps : nil)
    }
    accumulate = try reader.integer("accumulate", default: 1)
    guard batch % accumulate == 0 else {
      throw reader.error("accumulate", "is \(accumulate), which does not divide the batch of \(batch)")
    }
    learningRate = try reader.number("learning_rate", default: model.learningRate, "a positive number") { $0 > 0 }
    warmup = try reader.integer("warmup", default: 0, in: 0...Int.max)
    finalRate = try reader.number("final_rate", default: 1, "a share from 0 to 1") { (0...1).contains($0) }
    pathDrop = try reader.probability("path_drop", default: model.pathDrop)
    labelDrop = try reader.probability("label_drop", default: model.labelDrop)
    ema = try reader.number("ema", default: model.ema, "a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    emaWarmup = try reader.boolean("ema_warmup", default: false)
    start = try reader.choice("start_from", default: .ema)
    plateau = try Plateau(reader)
    try reader.finish()
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

extension TokenDrop {
  private enum Kind: String, CaseIterable {
    case structured, random, none
  }

  /// Reads `drop: {ratio: 0.75}`, `{kind: random, ratio: 0.3}`, `{group: 3, kept: 2}` or `{kind: none}`.
  fileprivate init(_ reader: ConfigurationReader, default value: TokenDrop, grid: Int, in stage: ConfigurationReader)
    throws
  {
    if stage.has("drop") {
      let kind: Kind = try reader.choice("kind", default: .structured)
      switch kind {
      case .none: self = .none
      case .random:
        self = .random(ratio: try reader.number("ratio", "a share from 0 to below 1") { $0 >= 0 && $0 < 1 })
      case .structured where reader.has("group") || reader.has("kept"):
        self = .structured(group: try reader.integer("group"), kept: try reader.integer("kept"))
      case .structured:
        let ratio = try reader.number("ratio")
        guard let published = TokenDrop.published[ratio] else {
          throw reader.error(
            "ratio",
            "is \(ratio); by ratio the groups are known for 0, 0.5, 0.625, 0.75 and 0.875. Give group and kept, "
              + "or kind: random")
        }
        self = published
      }
      try reader.finish()
    } else {
      self = value
    }
    if let problem = problem(grid: grid) { throw stage.error("drop", "does not fit: \(problem)") }
  }
}

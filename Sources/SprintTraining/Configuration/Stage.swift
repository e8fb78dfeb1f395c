import SprintModel

/// A part of training with constant settings, such as masked pre-training or full-token fine-tuning.
package struct Stage: Sendable, Equatable {
  /// The weights that a stage starts from.
  package enum Start: String, Sendable, CaseIterable {
    /// The moving average of the stage before.
    case ema
    /// The trained weights of the stage before.
    case model
  }

  /// Ends a stage before its last step, when the validation loss no longer falls.
  package struct Plateau: Sendable, Equatable {
    /// The number of validations in a row that must bring no gain.
    package var patience: Int
    /// The relative fall of the loss that counts as a gain.
    package var threshold: Double

    package init(patience: Int, threshold: Double) { (self.patience, self.threshold) = (patience, threshold) }
  }

  /// The stage's name in logs.
  package var name: String
  /// The number of updates; an upper limit if the stage may end at a plateau.
  package var steps: Int
  /// The plateau that ends the stage early; nil for none.
  package var plateau: Plateau? = nil
  /// B, the number of samples of an update.
  package var batch: Int
  /// The number of parts into which an update's samples are split; they are computed one after another to save memory.
  package var accumulate: Int
  /// The highest learning rate.
  package var learningRate: Double
  /// The number of updates over which the learning rate rises from zero.
  package var warmup: Int
  /// The learning rate of the last update as a share of the highest; the rate falls linearly after the warm-up.
  package var finalRate: Double
  /// Which tokens the deep path keeps.
  package var drop: TokenDrop
  /// The probability that the mask token replaces a sample's deep path.
  package var pathDrop: Double
  /// The probability that "no class" replaces a sample's class.
  package var labelDrop: Double
  /// The decay e of the moving average, ema = e · ema + (1 - e) · weights.
  package var ema: Double
  /// Whether e is at most (1 + i) / (10 + i) at update i.
  package var emaWarmup: Bool
  /// The weights that the stage starts from; the first stage starts from initial weights.
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

  /// Returns the learning rate of update `step`, counted from zero: it rises over the warm-up, then falls to its final
  /// share.
  package func learningRate(at step: Int) -> Double {
    if step < warmup { return learningRate * Double(step + 1) / Double(warmup) }
    let rest = max(1, steps - warmup - 1)
    return learningRate * (1 - (1 - finalRate) * Double(min(step - warmup, rest)) / Double(rest))
  }

  /// Returns the decay of the moving average at update `step`, counted from zero.
  package func emaDecay(at step: Int) -> Double {
    emaWarmup ? min(ema, (1 + Double(step)) / (10 + Double(step))) : ema
  }

  /// Returns the number of images of an update that a rank computes; with unequal slices that of the largest.
  package func imagesPerRank(_ ranks: Int) -> Int { (batch + ranks - 1) / ranks }
}

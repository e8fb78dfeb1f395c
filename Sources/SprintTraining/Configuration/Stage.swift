import Foundation
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

  /// How the learning rate changes after the warm-up.
  package enum Schedule: String, Sendable, CaseIterable {
    /// It stays at its highest value.
    case constant
    /// It falls along a line to its final share.
    case linear
    /// It falls along half a period of a cosine to its final share. arXiv 1608.03983.
    case cosine
  }

  /// A decay of the moving average for the first updates of a stage.
  package struct EarlyDecay: Sendable, Equatable {
    /// The decay e.
    package var decay: Double
    /// The number of updates.
    package var updates: Int

    package init(_ decay: Double, updates: Int) { (self.decay, self.updates) = (decay, updates) }
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
  /// The number w of updates over which the learning rate rises.
  package var warmup: Int
  /// The share s of the highest learning rate with which the warm-up begins: s + (1 - s) i / w at update i; nil for
  /// (i + 1) / w.
  package var warmupStart: Double? = nil
  /// How the learning rate changes after the warm-up.
  package var schedule: Schedule = .linear
  /// The learning rate of the last update as a share of the highest.
  package var finalRate: Double
  /// Which tokens the deep path keeps.
  package var drop: TokenDrop
  /// The probability that the mask token replaces a sample's deep path.
  package var pathDrop: Double
  /// Whether one decision drops the deep paths of a whole batch, or keeps them.
  package var dropsPathsTogether = false
  /// The probability that "no class" replaces a sample's class.
  package var labelDrop: Double
  /// The decay e of the moving average, ema = e · ema + (1 - e) · weights.
  package var ema: Double
  /// Another decay for the first updates; nil for none.
  package var earlyEMA: EarlyDecay? = nil
  /// Whether e is at most (1 + i) / (10 + i) at update i.
  package var emaWarmup: Bool
  /// The weights that the stage starts from; the first stage starts from initial weights.
  package var start: Start

  /// The published schedule for images of 256 x 256: long masked pre-training, short full-token fine-tuning. arXiv
  /// 2510.21986 and its code.
  package static let published = [
    Stage(
      name: "masked", steps: 1_000_000, batch: 256, accumulate: 1, learningRate: 1e-4, warmup: 0, finalRate: 1,
      drop: .structured(group: 2, kept: 1), pathDrop: 0.1, labelDrop: 0.1, ema: 0.9999, emaWarmup: false, start: .ema),
    Stage(
      name: "full", steps: 100_000, batch: 1024, accumulate: 1, learningRate: 2e-4, warmup: 5000, warmupStart: 0.01,
      finalRate: 1, drop: .none, pathDrop: 0.1, labelDrop: 0.1, ema: 0.9999,
      earlyEMA: EarlyDecay(0.999, updates: 626), emaWarmup: false, start: .ema),
  ]

  /// Returns the learning rate of update `step`, counted from zero: it rises over the warm-up, then falls to its final
  /// share.
  package func learningRate(at step: Int) -> Double {
    if step < warmup {
      guard let warmupStart else { return learningRate * Double(step + 1) / Double(warmup) }
      return learningRate * (warmupStart + (1 - warmupStart) * Double(step) / Double(warmup))
    }
    let rest = max(1, steps - warmup - 1)
    let progress = Double(min(step - warmup, rest)) / Double(rest)
    return switch schedule {
    case .constant: learningRate
    case .linear: learningRate * (1 - (1 - finalRate) * progress)
    case .cosine: learningRate * (finalRate + (1 - finalRate) * (1 + cos(.pi * progress)) / 2)
    }
  }

  /// Returns the decay of the moving average at update `step`, counted from zero.
  package func emaDecay(at step: Int) -> Double {
    let decay = earlyEMA.flatMap { step < $0.updates ? $0.decay : nil } ?? ema
    return emaWarmup ? min(decay, (1 + Double(step)) / (10 + Double(step))) : decay
  }

  /// Returns the share that the average after `updates` updates still holds of what it began with: the product of the
  /// decays.
  package func startShare(after updates: Int) -> Double {
    guard emaWarmup else {
      let early = min(updates, earlyEMA?.updates ?? 0)
      return pow(earlyEMA?.decay ?? 1, Double(early)) * pow(ema, Double(updates - early))
    }
    // The warming decays leave less than a millionth within some dozens of updates.
    var (share, update) = (1.0, 0)
    while update < updates, share > 1e-6 {
      share *= emaDecay(at: update)
      update += 1
    }
    return share
  }

  /// Returns the number of images of an update that a rank computes; with unequal slices that of the largest.
  package func imagesPerRank(_ ranks: Int) -> Int { (batch + ranks - 1) / ranks }
}

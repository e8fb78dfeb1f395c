import SprintModel
import SprintTraining

/// Predicts the seconds of a training step from the algorithm's work and the rates of a machine. The constants come
/// from the times by part that `sprint bench train` showed for SiT-S and SiT-B on one machine.
struct StepCost {
  private let configuration: Configuration
  private let rates: MachineRates
  private let weights: Double

  /// What depends on the precision.
  private struct Constants {
    /// The rate of a step's products as a share of the rate of large products.
    let productShare: Double
    /// The rate of attention's products with their softmax as a share of the rate of large products.
    let attentionShare: Double
    /// Bytes that all element-wise operations of a block move per number of its tokens, forward and backward.
    let elementBytes: Double
    /// Bytes that the optimizer moves per weight: it reads the gradient, reads and writes two moments, average and
    /// weight, and writes the rounded weight. Clearing the gradient is counted here too.
    let optimizerBytes: Double
  }

  private var constants: Constants {
    switch configuration.precision {
    case .float32: Constants(productShare: 0.96, attentionShare: 0.68, elementBytes: 117, optimizerBytes: 40)
    case .bfloat16: Constants(productShare: 0.99, attentionShare: 0.31, elementBytes: 125, optimizerBytes: 42)
    }
  }

  /// The time in which only one thread works, as a share of the time of all other work.
  private static let serialShare = 0.015
  /// The share of the backward pass that can hide the reduction of gradients.
  private static let hiddenShare = 0.9
  /// Seconds until a message arrives.
  private static let latency = 50e-6

  init(_ configuration: Configuration, _ rates: MachineRates, weights: Int) {
    (self.configuration, self.rates, self.weights) = (configuration, rates, Double(weights))
  }

  /// Returns the mean seconds of a step of stage `index` whose batch `ranks` ranks share.
  func seconds(stage index: Int, ranks: Int) -> Double {
    let stage = configuration.stages[index]
    let seconds = secondsPerImage(stage) + configuration.alignedShare(ofStage: index) * projectorSeconds(stage)
    let computing = Double(stage.imagesPerRank(ranks)) * seconds
    let shards = configuration.distribution.isSharded ? Double(ranks) : 1
    let optimizer = weights * constants.optimizerBytes / rates.memory / shards
    let transfer = transferSeconds(ranks)
    let hidden = min(transfer.reduction, 2 / 3 * computing * Self.hiddenShare)
    return (computing + optimizer) * (1 + Self.serialShare) + transfer.reduction - hidden + transfer.gather
  }

  private func secondsPerImage(_ stage: Stage) -> Double {
    let model = configuration.model
    let kept = configuration.keptTokens(in: stage)
    let passes = configuration.recompute == .blocks ? 4.0 : 3
    let (total, attention) = (model.forwardWork(kept: kept), model.attentionWork(kept: kept))
    let tokens = Double((model.encoderDepth + model.decoderDepth) * model.tokens + model.middleDepth * kept)
    return passes * (total - attention) / (rates.matrixProducts * constants.productShare)
      + passes * attention / (rates.matrixProducts * constants.attentionShare)
      + tokens * Double(model.width) * constants.elementBytes / rates.memory
  }

  /// Returns the seconds of an image's passes through the projector.
  private func projectorSeconds(_ stage: Stage) -> Double {
    3 * configuration.model.projectorWork(kept: configuration.keptTokens(in: stage))
      / (rates.matrixProducts * constants.productShare)
  }

  /// Returns the bytes that a rank sends and receives in a step: gradients on their way to the ranks of their shards,
  /// then weights on their way back, in the precision of passes. Without sharding, sums of gradients travel back
  /// instead, within the reduction.
  func wireBytes(ranks: Int) -> (reduction: Double, gather: Double) {
    let share = weights * Double(ranks - 1) / Double(ranks)
    let wire = configuration.distribution.wire == .bfloat16 ? 2.0 : 4
    let weight = Double(configuration.precision.bytes)
    return configuration.distribution.isSharded ? (share * wire, share * weight) : (2 * share * wire, 0)
  }

  private func transferSeconds(_ ranks: Int) -> (reduction: Double, gather: Double) {
    guard ranks > 1 else { return (0, 0) }
    let bytes = wireBytes(ranks: ranks)
    let waiting = Double(ranks - 1) * Self.latency
    return (bytes.reduction / rates.linkBandwidth + waiting, bytes.gather / rates.linkBandwidth + waiting)
  }
}

import SprintTraining
import SprintModel

/// What a training step costs: the algorithm's work at the rates of a machine. Its constants are the time that steps of SiT-S and SiT-B take
/// on one machine by part, as `sprint bench train` shows it.
struct StepModel {
  private let configuration: Configuration
  private let rates: MachineRates
  private let weights: Double

  /// Share of the rate of large products that those of a step reach.
  private static let productShare = 0.94
  /// The same of attention's products with their softmax.
  private static let attentionShare = 0.57
  /// Bytes moved for each number of a block's tokens by all that is element-wise, forward and backward.
  private static let elementBytes = 150.0
  /// Bytes moved for each weight: gradient, two moments, average and weight are read and written.
  private static let optimizerBytes = 40.0
  /// Share of a step besides, in which one thread works alone.
  private static let serialShare = 0.015
  /// Share of the backward pass that can hide the reduction of gradients.
  private static let hiddenShare = 0.9
  /// Seconds until a message arrives.
  private static let latency = 50e-6

  init(_ configuration: Configuration, _ rates: MachineRates, weights: Int) {
    (self.configuration, self.rates, self.weights) = (configuration, rates, Double(weights))
  }

  /// Seconds of a step with the stage's batch shared by `ranks` ranks.
  func seconds(_ stage: Stage, ranks: Int) -> Double {
    let images = Double((stage.batch + ranks - 1) / ranks)
    let computing = images * secondsPerImage(stage)
    let shards = configuration.distribution.isSharded ? Double(ranks) : 1
    let optimizer = weights * Self.optimizerBytes / rates.memory / shards
    let network = networkSeconds(ranks)
    let hidden = min(network.reduction, 2 / 3 * computing * Self.hiddenShare)
    return (computing + optimizer) * (1 + Self.serialShare) + network.reduction - hidden + network.gather
  }

  private func secondsPerImage(_ stage: Stage) -> Double {
    let model = configuration.model
    let kept = stage.drop.keptCount(grid: model.grid)
    let passes = configuration.recompute == .blocks ? 4.0 : 3
    let (total, attention) = (model.forwardWork(kept: kept), model.attentionWork(kept: kept))
    let tokens = Double((model.encoderDepth + model.decoderDepth) * model.tokens + model.middleDepth * kept)
    return passes * (total - attention) / (rates.matrixProducts * Self.productShare)
      + passes * attention / (rates.matrixProducts * Self.attentionShare)
      + tokens * Double(model.width) * Self.elementBytes / rates.memory
  }

  /// Bytes that a rank sends in a step, and receives: gradients to their shards' ranks, and weights (or, not sharded, sums) back.
  func wireBytes(ranks: Int) -> (reduction: Double, gather: Double) {
    let share = weights * Double(ranks - 1) / Double(ranks)
    let wire = configuration.distribution.wire == .bfloat16 ? 2.0 : 4
    return configuration.distribution.isSharded ? (share * wire, share * 4) : (2 * share * wire, 0)
  }

  private func networkSeconds(_ ranks: Int) -> (reduction: Double, gather: Double) {
    guard ranks > 1 else { return (0, 0) }
    let bytes = wireBytes(ranks: ranks)
    let waiting = Double(ranks - 1) * Self.latency
    return (bytes.reduction / rates.network + waiting, bytes.gather / rates.network + waiting)
  }
}

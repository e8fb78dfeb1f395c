import SprintKernels
import SprintModel

/// The constants of AdamW. arXiv 1711.05101.
public struct AdamWConfiguration: Sendable, Equatable {
  /// Decay of the first and of the second moment.
  public var beta1 = 0.9, beta2 = 0.999
  /// What is added to the root of the second moment.
  public var epsilon = 1e-8
  /// Decoupled weight decay.
  public var weightDecay = 0.0

  /// The published constants.
  public init() {}
}

/// Weights, their moving average and AdamW's moments, and the pass that updates them all.
public final class Optimizer: Sendable {
  /// The weights in training.
  public let weights: ParameterArena
  /// Their exponential moving average.
  public let average: ParameterArena
  /// Gradients to be added to before `update`, which leaves them zero.
  public let gradients: ParameterArena
  /// AdamW's first and second moments.
  public let firstMoment, secondMoment: ParameterArena
  private let configuration: AdamWConfiguration
  private let workers: Workers
  private let trained: [Range<Int>]

  /// State for `network`, all zero.
  public init(_ network: Network, _ configuration: AdamWConfiguration) {
    weights = ParameterArena(network)
    average = ParameterArena(network)
    gradients = ParameterArena(network)
    firstMoment = ParameterArena(network)
    secondMoment = ParameterArena(network)
    self.configuration = configuration
    workers = network.workers
    // Frozen parameters cut the arena into stretches; each is updated in slices of its own.
    var trained: [Range<Int>] = []
    for parameter in network.layout.parameters where parameter.isTrained {
      if let last = trained.last, last.upperBound == parameter.range.lowerBound {
        trained[trained.count - 1] = last.lowerBound..<parameter.range.upperBound
      } else {
        trained.append(parameter.range)
      }
    }
    self.trained = trained.flatMap(Self.slices)
  }

  /// Norm of all trained parameters' gradients; the same sum in the same order for any number of workers.
  public func gradientNorm() -> Double {
    let sums = Arena(count: 2 * trained.count)
    // A double in two floats' room: each worker writes its own.
    let doubles = UnsafeMutableRawPointer(sums.elements.base).bindMemory(to: Double.self, capacity: trained.count)
    let partial = PartialSums(base: doubles)
    workers.run(tasks: trained.count) { [trained, gradients] _, i in
      partial.base[i] = sumOfSquares(gradients.elements[trained[i]])
    }
    return (0..<trained.count).reduce(0) { $0 + doubles[$1] }.squareRoot()
  }

  /// Update number `step` (from 1): clips by the given norm, then AdamW and the moving average.
  ///
  /// - Parameters:
  ///   - norm: of the gradients, as `gradientNorm` found it
  ///   - clip: gradients are multiplied by min(1, clip / (norm + 1e-6)); nil leaves them
  ///   - ema: e in ema = e · ema + (1 - e) · weights
  public func update(step: Int, learningRate: Double, norm: Double, clip: Double?, ema: Double) {
    let update = AdamWStep(
      step: step, learningRate: learningRate, beta1: configuration.beta1, beta2: configuration.beta2,
      epsilon: configuration.epsilon, weightDecay: configuration.weightDecay,
      gradientFactor: clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1, ema: ema)
    workers.run(tasks: trained.count) { [self] _, i in
      let range = trained[i]
      adamW(
        update, weights: weights.elements[range], gradients: gradients.elements[range],
        firstMoment: firstMoment.elements[range], secondMoment: secondMoment.elements[range],
        average: average.elements[range])
    }
  }

  /// Drops the gradients, for an update that is skipped.
  public func clearGradients() { gradients.elements.clear() }

  /// Starts afresh from the given weights: they become weights and average, the moments become zero.
  public func restart(from source: ParameterArena) {
    if source !== weights { weights.elements.copy(from: source.elements) }
    if source !== average { average.elements.copy(from: source.elements) }
    for arena in [gradients, firstMoment, secondMoment] { arena.elements.clear() }
  }

  /// Slices of a size that several workers share evenly and a cache holds.
  private static func slices(_ range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16).map { $0..<min($0 + (1 << 16), range.upperBound) }
  }
}

private struct PartialSums: @unchecked Sendable {
  let base: UnsafeMutablePointer<Double>
}

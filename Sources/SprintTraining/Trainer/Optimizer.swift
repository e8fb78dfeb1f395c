import SprintKernels
import SprintModel

/// The constants of AdamW. arXiv 1711.05101.
package struct AdamWConfiguration: Sendable, Equatable {
  /// Decay of the first and of the second moment.
  package var beta1 = 0.9, beta2 = 0.999
  /// What is added to the root of the second moment.
  package var epsilon = 1e-8
  /// Decoupled weight decay.
  package var weightDecay = 0.0

  /// The published constants.
  package init() {}
}

/// Weights and gradients of a whole network; moving average and AdamW's moments of the parts that this rank looks after; and the
/// pass that updates them.
package final class Optimizer: Sendable {
  /// The weights in training.
  package let weights: ParameterArena
  /// Gradients to be added to before `update`, which leaves them zero. Between updates their memory may be borrowed.
  package let gradients: ParameterArena
  /// What this rank looks after, in order.
  let owned: [Slice]
  /// The exponential moving average of the weights, and AdamW's first and second moments: of the owned places, one after another.
  package let average, firstMoment, secondMoment: Vector
  private let configuration: AdamWConfiguration
  private let workers: Workers
  private let memory: [Arena]
  /// What is updated, by bucket: stretches of trained parameters, cut so that several workers share them evenly.
  private let slices: [[Slice]]
  /// The same in one list, and room for a double each.
  private let all: [Slice]
  private let partialSums: Arena

  /// A stretch of what this rank looks after.
  struct Slice: Sendable {
    /// Where it lies in the arenas of weights and gradients.
    let place: Range<Int>
    /// Where it lies in the owned state.
    let state: Range<Int>
  }

  /// State for `network`, all zero.
  ///
  /// - Parameter owned: the places that this rank looks after, one for each bucket; nil for everything
  package init(_ network: Network, _ configuration: AdamWConfiguration, owned: [Range<Int>]? = nil) {
    weights = ParameterArena(network)
    gradients = ParameterArena(network)
    self.configuration = configuration
    workers = network.workers
    var count = 0
    self.owned = (owned ?? [0..<network.layout.count]).map { place in
      defer { count += place.count }
      return Slice(place: place, state: count..<count + place.count)
    }
    memory = (0..<3).map { [count] _ in Arena(count: count) }
    (average, firstMoment, secondMoment) = (memory[0].elements, memory[1].elements, memory[2].elements)
    let stretches = Self.trainedStretches(network.layout)
    slices = self.owned.map { owned in
      let shift = owned.state.lowerBound - owned.place.lowerBound
      return stretches.flatMap { Self.slices($0.clamped(to: owned.place)) }.map {
        Slice(place: $0, state: $0.lowerBound + shift..<$0.upperBound + shift)
      }
    }
    all = slices.flatMap(\.self)
    partialSums = Arena(count: 2 * all.count)
  }

  /// Bytes of moving average and moments at this rank.
  package var stateBytes: Int { 3 * average.count * MemoryLayout<Float>.stride }

  /// Σ g² over the owned trained parameters; the same sum in the same order for any number of workers.
  package func sumOfSquaredGradients() -> Double {
    let partial = PartialSums(partialSums)
    workers.run(tasks: all.count) { [gradients, all] _, i in
      Meter.count(.optimizer) { partial.base[i] = sumOfSquares(gradients.elements[all[i].place]) }
    }
    return (0..<all.count).reduce(0) { $0 + partial.base[$1] }
  }

  /// Update number `step` (from 1) of what this rank looks after: clips by the given norm, then AdamW and the moving average.
  ///
  /// - Parameters:
  ///   - norm: of all gradients
  ///   - clip: gradients are multiplied by min(1, clip / (norm + 1e-6)); nil leaves them
  ///   - ema: e in ema = e · ema + (1 - e) · weights
  ///   - onUpdated: called with the number of each owned place once its weights are new
  package func update(
    step: Int, learningRate: Double, norm: Double, clip: Double?, ema: Double, onUpdated: (Int) -> Void = { _ in }
  ) {
    let update = AdamWStep(
      step: step, learningRate: learningRate, beta1: configuration.beta1, beta2: configuration.beta2,
      epsilon: configuration.epsilon, weightDecay: configuration.weightDecay,
      gradientFactor: clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1, ema: ema)
    for (index, slices) in slices.enumerated() {
      workers.run(tasks: slices.count) { [self] _, i in
        let slice = slices[i]
        Meter.count(.optimizer) {
          adamW(
            update, weights: weights.elements[slice.place], gradients: gradients.elements[slice.place],
            firstMoment: firstMoment[slice.state], secondMoment: secondMoment[slice.state],
            average: average[slice.state])
        }
      }
      onUpdated(index)
    }
    clearForeignGradients()
  }

  /// Drops the gradients, for an update that is skipped or when their memory was borrowed.
  package func clearGradients() {
    workers.run(over: gradients.elements.count, grain: 1 << 18) { [gradients] _, range in
      gradients.elements[range].clear()
    }
  }

  /// Starts afresh from the given weights: they become weights and average, gradients and moments become zero.
  package func restart(from source: ParameterArena) {
    if source !== weights { copy(source.elements, to: weights.elements) }
    take(from: weights.elements, into: average)
    for values in [gradients.elements, firstMoment, secondMoment] { values.clear() }
  }

  /// Copies the owned places of a whole arena into owned state.
  func take(from whole: Vector, into state: Vector) {
    for slice in owned { state[slice.state].copy(from: whole[slice.place]) }
  }

  /// Copies on all workers.
  func copy(_ source: Vector, to target: Vector) {
    workers.run(over: source.count, grain: 1 << 18) { _, range in target[range].copy(from: source[range]) }
  }

  /// What other ranks update has left partial sums here.
  private func clearForeignGradients() {
    let places = [0..<0] + owned.map(\.place) + [gradients.elements.count..<gradients.elements.count]
    let gaps = zip(places, places.dropFirst()).map { $0.upperBound..<$1.lowerBound }.filter { !$0.isEmpty }
    workers.run(tasks: gaps.count) { [gradients] _, i in gradients.elements[gaps[i]].clear() }
  }

  /// Frozen parameters cut the arena into stretches.
  private static func trainedStretches(_ layout: ParameterLayout) -> [Range<Int>] {
    layout.parameters.filter(\.isTrained).reduce(into: []) { stretches, parameter in
      if let last = stretches.last, last.upperBound == parameter.range.lowerBound {
        stretches[stretches.count - 1] = last.lowerBound..<parameter.range.upperBound
      } else {
        stretches.append(parameter.range)
      }
    }
  }

  /// Slices of a size that several workers share evenly and a cache holds.
  private static func slices(_ range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16).map { $0..<min($0 + (1 << 16), range.upperBound) }
  }
}

/// Doubles in two floats' room each: every worker writes its own.
private struct PartialSums: @unchecked Sendable {
  let base: UnsafeMutablePointer<Double>

  init(_ arena: Arena) {
    base = UnsafeMutableRawPointer(arena.elements.base).bindMemory(to: Double.self, capacity: arena.elements.count / 2)
  }
}

import SprintDiffusion

/// What the next parts of a run will take, from what they have taken so far, and whether the deadline leaves that time.
package struct TimeBudget {
  /// What a run does between two decisions.
  package enum Part { case step, validation, pictures, angle }

  /// The time that a process takes to end.
  private static let secondsToLeave = 0.5
  /// What a part may take beyond its estimate.
  private static let margin = 1.1

  private let configuration: Configuration
  private let ranks, validationSamples: Int
  private let deadline: ContinuousClock.Instant?
  /// What one FLOP took in the slowest of the recent steps, all ranks together.
  private var secondsPerFlop = 0.0
  private var measured: [Part: Double] = [:]

  /// - Parameters:
  ///   - validationSamples: held-out samples of one validation
  ///   - rate: FLOP/s to expect before the first step is measured
  package init(
    _ configuration: Configuration, ranks: Int, validationSamples: Int, deadline: ContinuousClock.Instant?,
    rate: Double = .infinity
  ) {
    (self.configuration, self.ranks, self.validationSamples) = (configuration, ranks, validationSamples)
    (self.deadline, secondsPerFlop) = (deadline, 1 / rate)
  }

  /// Notes what a part took; a step, in the given stage.
  package mutating func took(_ seconds: Double, _ part: Part, in stage: Stage) {
    let isFirst = measured.updateValue(seconds, forKey: part) == nil
    guard part == .step else { return }
    let own = seconds / work(of: .step, in: stage)
    secondsPerFlop = isFirst ? own : max(0.9 * secondsPerFlop, own)
  }

  /// Whether the deadline is too near for some parts, one after another, and `saves` seconds of saving.
  package func isOver(
    for parts: [Part], in stage: Stage, saves: Double, at now: ContinuousClock.Instant
  ) -> Bool {
    isOver(parts.reduce(0) { $0 + seconds(of: $1, in: stage) } + saves, at: now)
  }

  /// Whether the deadline is too near for another round of a part that is under way. A part ends early only between its
  /// rounds.
  package func isOver(
    during part: Part, in stage: Stage, saves: Double, at now: ContinuousClock.Instant
  ) -> Bool {
    isOver(seconds(of: part, in: stage) / Double(rounds(of: part, in: stage)) + saves, at: now)
  }

  private func isOver(_ seconds: Double, at now: ContinuousClock.Instant) -> Bool {
    guard let deadline else { return false }
    // A century is as good as more, which a clock may not be able to count.
    return now + .seconds(min(Self.margin * seconds + Self.secondsToLeave, 3e9)) >= deadline
  }

  private func seconds(of part: Part, in stage: Stage) -> Double {
    // Steps of another stage take other seconds, but about the same for a FLOP.
    if part != .step, let seconds = measured[part] { return seconds }
    return secondsPerFlop * work(of: part, in: stage)
  }

  private func work(of part: Part, in stage: Stage) -> Double {
    let model = configuration.model
    switch part {
    case .step: return Double(stage.batch) * configuration.trainingWork(of: stage)
    case .validation:
      return Double(rounds(of: part, in: stage) * ranks * HeldOutLoss.batch) * model.forwardWork(kept: model.tokens)
    case .pictures:
      return Double(rounds(of: part, in: stage) * ranks * SampleGenerator.tile(model))
        * configuration.samples.sampler.work(model)
    // Each round is a step for each of the two gradients.
    case .angle: return Double(rounds(of: part, in: stage)) * 2 * work(of: .step, in: stage)
    }
  }

  /// The rounds of a part: each rank computes one batch or tile, or its share of one, in a round.
  private func rounds(of part: Part, in stage: Stage) -> Int {
    func rounds(_ count: Int, by size: Int) -> Int { max(1, (count + size * ranks - 1) / (size * ranks)) }
    return switch part {
    case .step: 1
    case .validation: rounds(validationSamples, by: HeldOutLoss.batch)
    case .pictures: rounds(configuration.samples.imageCount, by: SampleGenerator.tile(configuration.model))
    case .angle: configuration.alignment?.angle.map { $0.batches(in: stage) * $0.times.count } ?? 1
    }
  }
}

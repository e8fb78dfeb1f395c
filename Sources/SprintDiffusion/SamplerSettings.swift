import SprintModel

/// The settings of a sampler.
package struct SamplerSettings: Sendable, Equatable {
  /// The way from noise to data.
  package var method: SamplingMethod
  /// The number of steps.
  package var steps: Int
  /// The pull of samples towards their class.
  package var guidance: Guidance
  /// The path between data and noise that the network was trained on.
  package var interpolant: Interpolant
  /// The shift of the times between steps, which the network was trained with.
  package var timeShift: TimeShift

  /// Makes settings; `steps` is at least the method's `fewestSteps`.
  package init(
    method: SamplingMethod = .ode, steps: Int, guidance: Guidance = Guidance(), interpolant: Interpolant = .straight,
    timeShift: TimeShift = TimeShift()
  ) {
    self.method = method
    self.steps = steps
    self.guidance = guidance
    self.interpolant = interpolant
    self.timeShift = timeShift
  }

  /// The times between steps, from 1 to 0.
  package var times: [Double] { method.times(steps: steps).map { timeShift($0) } }

  /// The times at which the network is evaluated.
  package var evaluations: [Double] {
    zip(times, times.dropFirst()).flatMap { method.correctsStep(to: $1) ? [$0, $1] : [$0] }
  }

  /// The FLOP of one image of a model.
  package func work(_ model: ModelConfiguration) -> Double {
    let whole = model.forwardWork(kept: model.tokens)
    return evaluations.reduce(0) { sum, time in
      guard guidance.acts(at: time) else { return sum + whole }
      return sum + whole + (guidance.kind == .pathDrop ? model.forwardWork(kept: 0) : whole)
    }
  }
}

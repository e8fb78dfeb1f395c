import SprintDiffusion
import SprintFormats
import SprintKernels

extension CaseRecipe {
  /// The samplers that the reference has.
  var samplingMethods: [SamplingMethod] { method == .srdit ? [.sde] : [.ode, .sde] }

  /// The name of samples in a case.
  func name(_ method: SamplingMethod, _ kind: Guidance.Kind) -> String {
    let output = "sample.output."
    return self.method == .srdit ? "\(output)\(kind.rawValue)" : "\(output)\(method.rawValue).\(kind.rawValue)"
  }
}

extension CaseVerification {
  /// Draws the samples of a case in one way and compares them, and the class tokens with them.
  func sample(_ method: SamplingMethod, _ kind: Guidance.Kind, _ samples: inout VerifiedGroup) throws {
    let name = recipe.name(method, kind)
    // Without fusion the reference has no path to drop and stores no such samples.
    if kind == .pathDrop, recipe.model.fusion == .none, file.entries[name] == nil { return }
    let count = try file.entry("sample.input.y").shape.first ?? 0
    let found = try draw(method, kind, count)
    let latents = count * recipe.model.latentElements
    try compare(found[..<latents], name, latentShape(count), &samples)
    guard let width = recipe.model.classToken else { return }
    let token = name.replacing("output.", with: "output.token.")
    try compare(found[latents...], token, [count, width], &samples)
  }

  private func compare(
    _ found: ArraySlice<Double>, _ name: String, _ shape: [Int], _ samples: inout VerifiedGroup
  ) throws {
    samples.compare(Array(found), try file.floats(name, shape: shape).map(Double.init), name)
  }

  private func draw(_ method: SamplingMethod, _ kind: Guidance.Kind, _ count: Int) throws -> [Double] {
    let settings = SamplerSettings(
      method: method, steps: recipe.sampleSteps,
      guidance: Guidance(
        kind, scale: recipe.scale, interval: recipe.interval, classTokenScale: recipe.classTokenScale),
      timeShift: recipe.timeShift)
    let sampler = Sampler(network, weights: optimizer.passWeights, settings: settings, batch: count)
    let labels = try file.labels("sample.input.y", count: count, below: recipe.model.labels.count)
    let latents = try numbers("noise", "eps", latentShape(count))
    let tokens = try recipe.model.classToken.map { try numbers("token_noise", "token_eps", [count, $0]) }
    return sampler.sample(
      start: (latents.start + (tokens?.start ?? [])).map(Double.init), labels: labels
    ) { $1 = latents.noise($0) + (tokens?.noise($0) ?? []) }
  }

  private func latentShape(_ count: Int) -> [Int] {
    [count, recipe.model.channels, recipe.model.side, recipe.model.side]
  }

  /// What a sampler starts from, and the noise of its steps.
  private func numbers(
    _ start: String, _ noise: String, _ shape: [Int]
  ) throws -> (start: [Float], noise: (Int) -> [Float]) {
    let count = shape.reduce(1, *)
    let values = try file.floats("sample.input.\(noise)", shape: [recipe.sampleSteps - 1] + shape)
    return (
      try file.floats("sample.input.\(start)", shape: shape), { Array(values[$0 * count..<($0 + 1) * count]) }
    )
  }
}

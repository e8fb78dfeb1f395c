import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel
import SprintTraining

/// Repeats a case of the reference implementation, a few training steps and all samplers, from stored inputs and
/// compares the results with the stored ones.
package struct CaseVerification {
  private let file: SafetensorsFile
  private let recipe: CaseRecipe
  private let network: Network
  private let optimizer: Optimizer
  private let objective: FlowMatching
  private let memory: PassMemory
  private let inputs: CaseInputs
  private let precision: Precision
  private let output: String?

  /// Opens a case; throws if the file is not one.
  ///
  /// - Parameters:
  ///   - precision: of the passes; in bfloat16 the first step alone is compared
  ///   - output: the safetensors file for velocity and gradients of the first step, under the names of the case
  package init(
    path: String, precision: Precision = .float32, writing output: String? = nil, workers: Workers
  ) throws {
    (self.precision, self.output) = (precision, output)
    file = try SafetensorsFile(path: path)
    recipe = try CaseRecipe(file)
    network = Network(recipe.model, workers: workers)
    inputs = try CaseInputs(file, recipe)
    memory = PassMemory(network, PassSize(batch: inputs.batch, training: true, precision: precision))
    objective = FlowMatching(network, interpolant: .straight, memory: memory)
    var adamW = AdamWConfiguration()
    adamW.weightDecay = recipe.weightDecay
    optimizer = Optimizer(network, adamW, precision: precision)
  }

  /// Runs the case and returns the comparison of every group of results.
  package func run() throws -> [VerifiedGroup] {
    precision == .float32 ? try runWholeCase() : try runFirstStep()
  }

  /// What rounding to bfloat16 makes of a step. Later steps are not compared: AdamW turns small differences of small
  /// gradients into whole steps.
  private func runFirstStep() throws -> [VerifiedGroup] {
    var velocity = VerifiedGroup("velocity", tolerance: 0.02)
    var losses = VerifiedGroup("losses", tolerance: 0.02)
    var gradients = VerifiedGroup("gradients", tolerance: 0.1)
    try start()
    var angle: VerifiedGroup?
    try train(0, &velocity, &losses, &gradients, &angle)
    return [velocity, losses, gradients]
  }

  /// Starts from the weights of the case, which it returns.
  @discardableResult
  private func start() throws -> ParameterArena<Float> {
    let weights = ParameterArena<Float>(network)
    for parameter in network.layout.parameters {
      fill(weights[parameter], try file.floats("param.\(parameter.name)", shape: parameter.shape))
    }
    optimizer.restart(from: weights)
    return weights
  }

  private func runWholeCase() throws -> [VerifiedGroup] {
    var velocity = VerifiedGroup("velocity", tolerance: 5e-6)
    var losses = VerifiedGroup("losses", tolerance: 5e-6)
    var gradients = VerifiedGroup("gradients", tolerance: 2e-5)
    var finalWeights = VerifiedGroup("final weights", tolerance: 2e-5)
    var samples = VerifiedGroup("samples", tolerance: 2e-5)
    var angle = recipe.angleBlock.map { _ in VerifiedGroup("angle", tolerance: 2e-6, isAbsolute: true) }
    let weights = try start()
    for step in 0..<recipe.steps { try train(step, &velocity, &losses, &gradients, &angle) }
    try optimizer.collect(.weights, into: weights.elements)
    for parameter in network.layout.parameters {
      for (values, kind) in [(weights.elements, "param"), (optimizer.average, "ema")] {
        let name = "final.\(kind).\(parameter.name)"
        finalWeights.compare(values[parameter.range].array, try file.floats(name, shape: parameter.shape), name)
      }
    }
    // The reference has these two.
    for method in [SamplingMethod.ode, .sde] {
      for kind in Guidance.Kind.allCases { try sample(method, kind, &samples) }
    }
    return [velocity, losses, gradients] + (angle.map { [$0] } ?? []) + [finalWeights, samples]
  }

  private func train(
    _ step: Int, _ velocity: inout VerifiedGroup, _ losses: inout VerifiedGroup, _ gradients: inout VerifiedGroup,
    _ angle: inout VerifiedGroup?
  ) throws {
    let aligns = step < recipe.stop
    let batch = try inputs.batch(step, aligns: aligns)
    if aligns, angle != nil, let block = recipe.angleBlock {
      let name = "step.\(step).output.cosine"
      angle?.compare([try cosine(batch, block)], try file.floats(name, shape: []).map(Double.init), name)
    }
    let result = objective.lossesAndGradients(
      optimizer.passWeights, batch, aligns ? recipe.factors : LossWeights(), gradients: optimizer.gradients)
    if step == 0 {
      if let output { try writeFirstStep(to: output) }
      let name = "step.0.output.velocity"
      velocity.compare(memory.velocity.flattened.array, try file.floats(name), name)
      for parameter in network.layout.parameters where parameter.isTrained {
        let name = "step.0.grad.\(parameter.name)"
        let found = optimizer.gradients[parameter].array
        // A weight without an entry takes no part in the result: its gradient has to be zero.
        let expected =
          file.entries[name] == nil ? found.map { _ in 0 } : try file.floats(name, shape: parameter.shape)
        gradients.compare(found, expected, name)
      }
    }
    let norm = optimizer.sumOfSquaredGradients().squareRoot()
    var values = [("loss", result.denoising), ("align", result.alignment), ("grad_norm", norm)]
    if recipe.angleBlock != nil { values.append(("attention", result.attention)) }
    for (name, value) in values {
      let name = "step.\(step).output.\(name)"
      losses.compare([value], try file.floats(name, shape: []).map(Double.init), name)
    }
    if batch.attention != nil {
      let name = "step.\(step).output.attention_each"
      let each = objective.attentionLosses
      losses.compare(each, try file.floats(name, shape: [each.count]).map(Double.init), name)
    }
    try optimizer.update(
      step: step + 1, learningRate: recipe.learningRate, norm: norm, clip: recipe.clip, ema: recipe.ema,
      resting: aligns ? nil : network.layout.projector)
  }

  private func cosine(_ batch: TrainingBatch, _ block: Int) throws -> Double {
    let angle = GradientAngle(network.layout, block: block)
    angle.add(objective, optimizer.passWeights, batch, recipe.factors, gradients: optimizer.gradients)
    return try angle.cosine(.single())
  }

  private func writeFirstStep(to path: String) throws {
    let gradients = network.layout.parameters.filter(\.isTrained).map { parameter in
      SafetensorsFile.Tensor(
        name: "step.0.grad.\(parameter.name)", shape: parameter.shape,
        values: UnsafeBufferPointer(optimizer.gradients[parameter].buffer))
    }
    let shape = try file.entry("step.0.output.velocity").shape
    let velocity = SafetensorsFile.Tensor(
      name: "step.0.output.velocity", shape: shape, values: UnsafeBufferPointer(memory.velocity.flattened.buffer))
    try SafetensorsFile.write([velocity] + gradients, metadata: ["precision": precision.rawValue], to: path)
  }

  private func sample(_ method: SamplingMethod, _ kind: Guidance.Kind, _ samples: inout VerifiedGroup) throws {
    let name = "sample.output.\(method.rawValue).\(kind.rawValue)"
    // Without fusion the reference has no path to drop and stores no such samples.
    if kind == .pathDrop, recipe.model.fusion == .none, file.entries[name] == nil { return }
    let model = recipe.model
    let count = try file.entry("sample.input.y").shape.first ?? 0
    let shape = [count, model.channels, model.side, model.side]
    let start = try file.floats("sample.input.noise", shape: shape).map(Double.init)
    let epsilon = try file.floats("sample.input.eps", shape: [recipe.sampleSteps - 1] + shape)
    let settings = SamplerSettings(
      method: method, steps: recipe.sampleSteps,
      guidance: Guidance(kind, scale: recipe.scale, interval: recipe.interval))
    let sampler = Sampler(network, weights: optimizer.passWeights, settings: settings, batch: count)
    let labels = try file.labels("sample.input.y", count: count, below: model.classes)
    let found = sampler.sample(start: start, labels: labels) {
      $1 = Array(epsilon[$0 * start.count..<($0 + 1) * start.count])
    }
    samples.compare(found, try file.floats(name, shape: shape).map(Double.init), name)
  }

  private func fill(_ target: Vector<Float>, _ values: [Float]) {
    precondition(target.count == values.count, "\(values.count) values for \(target.count)")
    for (i, value) in values.enumerated() { target[i] = value }
  }
}

import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel
import SprintTraining

/// Repeats a case of the reference implementation, a few training steps and all samplers, from stored inputs and
/// compares the results with the stored ones.
package struct CaseVerification {
  let file: SafetensorsFile
  let recipe: CaseRecipe
  let network: Network
  let optimizer: Optimizer
  private let objective: FlowMatching
  private let memory: PassMemory
  private let inputs: CaseInputs
  /// The names of the weights in the case.
  private let published: PublishedWeights
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
    published = PublishedWeights(recipe.model, recipe.method == .srdit ? .srdit : .sprint)
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
    var step = StepComparison(recipe, velocity: 0.02, losses: 0.02, gradients: 0.1, alignment: 0.02)
    step.angle = nil
    try start()
    try train(0, &step)
    return step.groups
  }

  /// Starts from the weights of the case, which it returns.
  @discardableResult
  private func start() throws -> ParameterArena<Float> {
    let weights = ParameterArena<Float>(network)
    for parameter in network.layout.parameters {
      let name = "param.\(published.name(parameter))"
      fill(weights[parameter], try file.floats(name, shape: published.shape(parameter)))
    }
    optimizer.restart(from: weights)
    return weights
  }

  private func runWholeCase() throws -> [VerifiedGroup] {
    var steps = StepComparison(recipe, velocity: 5e-6, losses: 5e-6, gradients: 2e-5, alignment: 5e-6)
    var finalWeights = VerifiedGroup("final weights", tolerance: 2e-5)
    var samples = VerifiedGroup("samples", tolerance: 2e-5)
    let weights = try start()
    for step in 0..<recipe.steps { try train(step, &steps) }
    try optimizer.collect(.weights, into: weights.elements)
    for parameter in network.layout.parameters {
      for (values, kind) in [(weights.elements, "param"), (optimizer.average, "ema")] {
        let name = "final.\(kind).\(published.name(parameter))"
        let expected = try file.floats(name, shape: published.shape(parameter))
        finalWeights.compare(values[parameter.range].array, expected, name)
      }
    }
    for method in recipe.samplingMethods {
      for kind in Guidance.Kind.allCases { try sample(method, kind, &samples) }
    }
    return steps.groups + [finalWeights, samples]
  }

  // MARK: Training steps

  private func train(_ step: Int, _ comparison: inout StepComparison) throws {
    let aligns = step < recipe.stop
    let batch = try inputs.batch(step, aligns: aligns)
    if aligns, let block = recipe.angleBlock {
      let name = "step.\(step).output.cosine"
      comparison.angle?.compare([try cosine(batch, block)], try file.floats(name, shape: []).map(Double.init), name)
    }
    let factors = aligns ? recipe.factors : LossWeights()
    let result = objective.lossesAndGradients(
      optimizer.passWeights, batch, factors, gradients: optimizer.gradients)
    if step == 0 {
      if let output { try writeFirstStep(to: output) }
      try compareOutputs(&comparison.velocity)
      try compareGradients(&comparison.gradients)
    }
    let norm = optimizer.sumOfSquaredGradients().squareRoot()
    try compareLosses(result, norm, step, &comparison)
    if batch.attention != nil {
      let name = "step.\(step).output.attention_each"
      let each = objective.attentionLosses
      comparison.losses.compare(each, try file.floats(name, shape: [each.count]).map(Double.init), name)
    }
    try optimizer.update(
      step: step + 1, learningRate: recipe.learningRate, norm: norm, clip: recipe.clip, ema: recipe.ema,
      resting: aligns ? nil : network.layout.projector)
  }

  private func compareLosses(
    _ found: Losses, _ norm: Double, _ step: Int, _ comparison: inout StepComparison
  ) throws {
    for (loss, value) in recipe.named(found) + [("grad_norm", norm)] {
      let name = "step.\(step).output.\(loss)"
      let expected = try file.floats(name, shape: []).map(Double.init)
      // Minus a mean cosine may be near zero.
      if loss == "loss.align" {
        comparison.alignment?.compare([value], expected, name)
      } else {
        comparison.losses.compare([value], expected, name)
      }
    }
  }

  private func compareOutputs(_ group: inout VerifiedGroup) throws {
    group.compare(
      memory.velocity.flattened.array, try file.floats("step.0.output.velocity"), "step.0.output.velocity")
    guard let velocity = memory.classVelocity else { return }
    let name = "step.0.output.token_velocity"
    group.compare(velocity.flattened.array, try file.floats(name, shape: [velocity.rows, velocity.columns]), name)
  }

  private func compareGradients(_ group: inout VerifiedGroup) throws {
    var single: (found: [Float], expected: [Float]) = ([], [])
    for parameter in network.layout.parameters where parameter.isTrained {
      let name = "step.0.grad.\(published.name(parameter))"
      let found = optimizer.gradients[parameter].array
      // A weight without an entry takes no part in the result: its gradient has to be zero.
      let expected =
        file.entries[name] == nil ? found.map { _ in 0 } : try file.floats(name, shape: published.shape(parameter))
      if precision == .bfloat16, found.count == 1 {
        single.found += found
        single.expected += expected
      } else {
        group.compare(found, expected, name)
      }
    }
    // The gradient of a single number may cancel to less than bfloat16's rounding; together they do not.
    if !single.found.isEmpty { group.compare(single.found, single.expected, "step.0.grad of single numbers") }
  }

  private func cosine(_ batch: TrainingBatch, _ block: Int) throws -> Double {
    let angle = GradientAngle(network.layout, block: block)
    angle.add(objective, optimizer.passWeights, batch, recipe.factors, gradients: optimizer.gradients)
    return try angle.cosine(.single())
  }

  private func writeFirstStep(to path: String) throws {
    let gradients = network.layout.parameters.filter(\.isTrained).map { parameter in
      SafetensorsFile.Tensor(
        name: "step.0.grad.\(published.name(parameter))", shape: published.shape(parameter),
        values: UnsafeBufferPointer(optimizer.gradients[parameter].buffer))
    }
    let shape = try file.entry("step.0.output.velocity").shape
    let velocity = SafetensorsFile.Tensor(
      name: "step.0.output.velocity", shape: shape, values: UnsafeBufferPointer(memory.velocity.flattened.buffer))
    try SafetensorsFile.write([velocity] + gradients, metadata: ["precision": precision.rawValue], to: path)
  }

  private func fill(_ target: Vector<Float>, _ values: [Float]) {
    precondition(target.count == values.count, "\(values.count) values for \(target.count)")
    for (i, value) in values.enumerated() { target[i] = value }
  }
}

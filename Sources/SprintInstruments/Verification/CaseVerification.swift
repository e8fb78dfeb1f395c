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
  private let arena: Arena
  private let data, noise: Matrix<Float>
  private let teacher: Matrix<Float>?
  private let batch: Int
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
    let shape = try file.entry("step.0.input.x").shape
    guard shape.count == 4, shape[1...] == [recipe.model.channels, recipe.model.side, recipe.model.side] else {
      throw FileError.unexpected(
        path: path, name: "step.0.input.x", found: "\(shape)",
        expected: "[B, \(recipe.model.channels), \(recipe.model.side), \(recipe.model.side)]")
    }
    batch = shape[0]
    memory = PassMemory(network, PassSize(batch: batch, training: true, precision: precision))
    objective = FlowMatching(network, interpolant: .straight, memory: memory)
    var adamW = AdamWConfiguration()
    adamW.weightDecay = recipe.weightDecay
    optimizer = Optimizer(network, adamW, precision: precision)
    let model = recipe.model
    let features = batch * model.tokens * (model.projector?.featureWidth ?? 0)
    arena = Arena(count: 2 * Arena.aligned(batch * model.latentElements) + Arena.aligned(features))
    data = arena.matrix(rows: batch, columns: model.latentElements)
    noise = arena.matrix(rows: batch, columns: model.latentElements)
    teacher = model.projector.map { [arena, batch] in
      arena.matrix(rows: batch * model.tokens, columns: $0.featureWidth)
    }
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
    try train(0, &velocity, &losses, &gradients)
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
    let weights = try start()
    for step in 0..<recipe.steps { try train(step, &velocity, &losses, &gradients) }
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
    return [velocity, losses, gradients, finalWeights, samples]
  }

  private func train(
    _ step: Int, _ velocity: inout VerifiedGroup, _ losses: inout VerifiedGroup, _ gradients: inout VerifiedGroup
  ) throws {
    let result = objective.lossesAndGradients(
      optimizer.passWeights, try inputs(step), alignmentWeight: recipe.alignmentWeight, gradients: optimizer.gradients)
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
    for (name, value) in [("loss", result.denoising), ("align", result.alignment), ("grad_norm", norm)] {
      let name = "step.\(step).output.\(name)"
      losses.compare([value], try file.floats(name, shape: []).map(Double.init), name)
    }
    try optimizer.update(
      step: step + 1, learningRate: recipe.learningRate, norm: norm, clip: recipe.clip, ema: recipe.ema)
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

  private func inputs(_ step: Int) throws -> TrainingBatch {
    let model = recipe.model
    let latentShape = [batch, model.channels, model.side, model.side]
    fill(data.flattened, try file.floats("step.\(step).input.x", shape: latentShape))
    fill(noise.flattened, try file.floats("step.\(step).input.noise", shape: latentShape))
    if let teacher, let width = model.projector?.featureWidth {
      fill(teacher.flattened, try file.floats("step.\(step).input.teacher", shape: [batch, model.tokens, width]))
    }
    let dropped = try file.bytes("step.\(step).input.path_drop", shape: [batch]).map { $0 != 0 }
    return TrainingBatch(
      data: data, noise: noise, times: try file.floats("step.\(step).input.t", shape: [batch]),
      labels: try labels("step.\(step).input.y", count: batch, allowsNone: true),
      deepPath: DeepPath(kept: try kept(step), dropped: dropped), teacher: teacher)
  }

  private func kept(_ step: Int) throws -> KeptTokens? {
    let name = "step.\(step).input.keep"
    guard let entry = file.entries[name] else { return nil }
    guard entry.shape.count == 2, entry.shape[0] == batch, entry.shape[1] > 0 else {
      throw FileError.unexpected(path: file.path, name: name, found: "\(entry.shape)", expected: "[\(batch), M]")
    }
    let ids = try file.integers(name).map { Int32(clamping: $0) }
    for start in stride(from: 0, to: ids.count, by: entry.shape[1]) {
      let sample = ids[start..<start + entry.shape[1]]
      guard Set(sample).count == sample.count, sample.allSatisfy({ $0 >= 0 && $0 < recipe.model.tokens }) else {
        throw FileError.unexpected(
          path: file.path, name: name, found: "a repeated or impossible id",
          expected: "different ids below \(recipe.model.tokens)")
      }
    }
    return KeptTokens(ids: ids, perSample: entry.shape[1])
  }

  private func labels(_ name: String, count: Int, allowsNone: Bool) throws -> [Int] {
    let labels = try file.integers(name, shape: [count]).map { Int($0) }
    let limit = recipe.model.classes + (allowsNone ? 1 : 0)
    if let bad = labels.first(where: { $0 < 0 || $0 >= limit }) {
      throw FileError.unexpected(
        path: file.path, name: name, found: "class \(bad)", expected: "0 to \(limit - 1)")
    }
    return labels
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
    let found = sampler.sample(start: start, labels: try labels("sample.input.y", count: count, allowsNone: false)) {
      $1 = Array(epsilon[$0 * start.count..<($0 + 1) * start.count])
    }
    samples.compare(found, try file.floats(name, shape: shape).map(Double.init), name)
  }

  private func fill(_ target: Vector<Float>, _ values: [Float]) {
    precondition(target.count == values.count, "\(values.count) values for \(target.count)")
    for (i, value) in values.enumerated() { target[i] = value }
  }
}

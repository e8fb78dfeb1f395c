import SprintTraining
import Foundation
import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel

/// How far one group of a case's results lies from what was expected.
package struct VerifiedGroup: Sendable, Encodable {
  /// What was compared.
  package let name: String
  /// The largest ‖got − expected‖ / ‖expected‖ of the group's tensors, and the tensor it belongs to.
  package private(set) var error: Double = 0
  /// The tensor with the largest error.
  package private(set) var worst = ""
  /// The largest error that counts as agreement.
  package let tolerance: Double

  /// Whether everything in the group agrees.
  package var agrees: Bool { error <= tolerance }

  init(_ name: String, tolerance: Double) {
    self.name = name
    self.tolerance = tolerance
  }

  mutating func compare(_ got: [Float], _ expected: [Float], _ tensor: String) {
    compare(got.map(Double.init), expected.map(Double.init), tensor)
  }

  mutating func compare(_ got: [Double], _ expected: [Double], _ tensor: String) {
    precondition(got.count == expected.count, "\(tensor): \(got.count) values against \(expected.count)")
    let difference = zip(got, expected).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let norm = expected.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
    let relative = difference == 0 ? 0 : difference / norm
    // A difference that is not a number is the worst of all.
    if relative.isNaN || relative > error || worst.isEmpty {
      (error, worst) = (relative.isNaN ? .infinity : relative, tensor)
    }
  }
}

/// Repeats a case of the reference implementation: a few training steps and all samplers from stored inputs, held against the
/// stored results.
package struct CaseVerification {
  private let file: SafetensorsFile
  private let recipe: CaseRecipe
  private let network: Network
  private let optimizer: Optimizer
  private let objective: FlowMatching
  private let activations: Activations
  private let arena: Arena
  private let data, noise: Matrix
  private let teacher: Matrix?
  private let batch: Int

  /// Opens a case.
  package init(path: String, workers: Workers) throws {
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
    activations = Activations(network, ActivationSize(batch: batch, training: true))
    objective = FlowMatching(network, interpolant: .straight, activations: activations)
    var adamW = AdamWConfiguration()
    adamW.weightDecay = recipe.weightDecay
    optimizer = Optimizer(network, adamW)
    let c = recipe.model
    let features = batch * c.tokens * (c.projector?.featureWidth ?? 0)
    arena = Arena(count: 2 * Arena.aligned(batch * c.latentElements) + Arena.aligned(features))
    data = arena.matrix(rows: batch, columns: c.latentElements)
    noise = arena.matrix(rows: batch, columns: c.latentElements)
    teacher = c.projector.map { [arena, batch] in arena.matrix(rows: batch * c.tokens, columns: $0.featureWidth) }
  }

  /// Runs the case.
  package func run() throws -> [VerifiedGroup] {
    var velocity = VerifiedGroup("velocity", tolerance: 5e-6)
    var losses = VerifiedGroup("losses", tolerance: 5e-6)
    var gradients = VerifiedGroup("gradients", tolerance: 2e-5)
    var weights = VerifiedGroup("final weights", tolerance: 2e-5)
    var samples = VerifiedGroup("samples", tolerance: 2e-5)
    for parameter in network.layout.parameters {
      fill(optimizer.weights[parameter], try file.floats("param.\(parameter.name)", shape: parameter.shape))
    }
    optimizer.restart(from: optimizer.weights)
    for step in 0..<recipe.steps { try train(step, &velocity, &losses, &gradients) }
    for parameter in network.layout.parameters {
      for (values, kind) in [(optimizer.weights.elements, "param"), (optimizer.average, "ema")] {
        let name = "final.\(kind).\(parameter.name)"
        weights.compare(values[parameter.range].array, try file.floats(name, shape: parameter.shape), name)
      }
    }
    for method in SamplerSettings.Method.allCases {
      for kind in Guidance.Kind.allCases { try sample(method, kind, &samples) }
    }
    return [velocity, losses, gradients, weights, samples]
  }

  private func train(
    _ step: Int, _ velocity: inout VerifiedGroup, _ losses: inout VerifiedGroup, _ gradients: inout VerifiedGroup
  ) throws {
    let result = objective.lossesAndGradients(
      optimizer.weights, try inputs(step), alignmentWeight: recipe.alignmentWeight, gradients: optimizer.gradients)
    if step == 0 {
      let name = "step.0.output.velocity"
      velocity.compare(activations.velocity.flattened.array, try file.floats(name), name)
      for parameter in network.layout.parameters where parameter.isTrained {
        let name = "step.0.grad.\(parameter.name)"
        let got = optimizer.gradients[parameter].array
        // A weight that nothing reaches has no entry, and has to have no gradient.
        let expected =
          file.entries[name] == nil ? got.map { _ in 0 } : try file.floats(name, shape: parameter.shape)
        gradients.compare(got, expected, name)
      }
    }
    let norm = optimizer.sumOfSquaredGradients().squareRoot()
    for (name, value) in [("loss", result.denoising), ("align", result.alignment), ("grad_norm", norm)] {
      let name = "step.\(step).output.\(name)"
      losses.compare([value], try file.floats(name, shape: []).map(Double.init), name)
    }
    optimizer.update(
      step: step + 1, learningRate: recipe.learningRate, norm: norm, clip: recipe.clip, ema: recipe.ema)
  }

  private func inputs(_ step: Int) throws -> TrainingBatch {
    let c = recipe.model
    let latentShape = [batch, c.channels, c.side, c.side]
    fill(data.flattened, try file.floats("step.\(step).input.x", shape: latentShape))
    fill(noise.flattened, try file.floats("step.\(step).input.noise", shape: latentShape))
    if let teacher, let width = c.projector?.featureWidth {
      fill(teacher.flattened, try file.floats("step.\(step).input.teacher", shape: [batch, c.tokens, width]))
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

  private func sample(_ method: SamplerSettings.Method, _ kind: Guidance.Kind, _ samples: inout VerifiedGroup) throws {
    let name = "sample.output.\(method.rawValue).\(kind.rawValue)"
    // Without fusion there is no path to drop: the reference stores no such samples.
    if kind == .pathDrop, recipe.model.fusion == .none, file.entries[name] == nil { return }
    let c = recipe.model
    let count = try file.entry("sample.input.y").shape.first ?? 0
    let shape = [count, c.channels, c.side, c.side]
    let start = try file.floats("sample.input.noise", shape: shape).map(Double.init)
    let epsilon = try file.floats("sample.input.eps", shape: [recipe.sampleSteps - 1] + shape)
    let settings = SamplerSettings(
      method: method, steps: recipe.sampleSteps,
      guidance: Guidance(kind, scale: recipe.scale, interval: recipe.interval))
    let sampler = Sampler(network, weights: optimizer.weights, settings: settings, batch: count)
    let got = sampler.sample(start: start, labels: try labels("sample.input.y", count: count, allowsNone: false)) {
      $1 = Array(epsilon[$0 * start.count..<($0 + 1) * start.count])
    }
    samples.compare(got, try file.floats(name, shape: shape).map(Double.init), name)
  }

  private func fill(_ target: Vector, _ values: [Float]) {
    precondition(target.count == values.count, "\(values.count) values for \(target.count)")
    for (i, value) in values.enumerated() { target[i] = value }
  }
}

/// The numbers in a case's `sprint.case` metadata.
struct CaseRecipe {
  let model: ModelConfiguration
  let learningRate, weightDecay, clip, ema, alignmentWeight, scale: Double
  let interval: ClosedRange<Double>
  let steps, sampleSteps: Int

  init(_ file: SafetensorsFile) throws {
    func malformed(_ problem: String) -> FileError {
      .unusable(path: file.path, problem: "`sprint.case` in its metadata \(problem)")
    }
    guard let text = file.metadata["sprint.case"],
      let table = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
    else { throw malformed("is missing or not a JSON object") }
    func number(_ key: String) throws -> Double {
      guard let value = table[key] as? NSNumber else { throw malformed("lacks the number `\(key)`") }
      return value.doubleValue
    }
    func integer(_ key: String) throws -> Int {
      let value = try number(key)
      guard let exact = Int(exactly: value) else { throw malformed("`\(key)` is \(value), expected a whole number") }
      return exact
    }
    guard let depth = table["depth"] as? [Int], depth.count == 3 else { throw malformed("lacks three depths") }
    guard let fusion = (table["fusion"] as? String).flatMap(Fusion.init) else {
      throw malformed("has an unknown fusion")
    }
    guard let frozen = table["freeze"] as? [String], Set(frozen).isSubset(of: ["mask_token"]) else {
      throw malformed("freezes something else than the mask token")
    }
    var model = ModelConfiguration(
      width: try integer("width"), heads: try integer("heads"), depth: (depth[0], depth[1], depth[2]),
      side: try integer("side"), channels: try integer("channels"), patch: try integer("patch"),
      classes: try integer("classes"))
    model.mlpRatio = try number("mlp_ratio")
    model.ropeTheta = try number("rope_theta")
    model.fusion = fusion
    model.learnsMaskToken = frozen.isEmpty
    if try integer("projector") > 0 {
      model.projector = ProjectorConfiguration(
        hidden: try integer("projector"), featureWidth: try integer("feature_width"),
        afterBlock: try integer("align_after"))
    }
    if let problem = model.problem { throw malformed("`\(problem.key)` \(problem.message)") }
    self.model = model
    (learningRate, weightDecay) = (try number("lr"), try number("weight_decay"))
    (clip, ema, alignmentWeight) = (try number("clip"), try number("ema"), try number("align_weight"))
    (scale, steps, sampleSteps) = (try number("scale"), try integer("steps"), try integer("sample_steps"))
    let (low, high) = (try number("low"), try number("high"))
    guard low <= high, steps >= 1, sampleSteps >= 2 else { throw malformed("has no steps or an empty interval") }
    interval = low...high
  }
}

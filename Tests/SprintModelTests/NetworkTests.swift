import SprintKernels
import SprintModel
import SprintTestSupport
import Testing

@Suite struct NetworkTests {
  /// Inputs of three samples. The second has no class, the third no deep path.
  struct Inputs {
    let latents: TestMatrix
    let classTokens: TestMatrix?
    let times: [Float] = [0.2, 0.5, 0.9]
    let labels = [0, 3, 1]
    let path: DeepPath

    init(_ configuration: ModelConfiguration, kept: Bool, dropped: [Bool] = [false, false, true]) {
      var random = Randomness("network inputs")
      latents = random.matrix(3, configuration.latentElements)
      classTokens = configuration.classToken.map { random.matrix(3, $0) }
      // Unsorted on purpose.
      path = DeepPath(
        kept: kept ? KeptTokens(ids: [9, 2, 15, 4, 0, 7, 8, 13, 3, 11, 5, 1], perSample: 4) : nil, dropped: dropped)
    }

    var input: NetworkInput {
      NetworkInput(
        latents: latents.view, classTokens: classTokens?.view, times: times, labels: labels, deepPath: path,
        readsFeatures: true)
    }

    func naive(_ network: NaiveNetwork, _ b: Int) -> NaiveNetwork.Result {
      network.velocity(
        latents.naive.row(b), classToken: classTokens?.naive.row(b) ?? [], time: Double(times[b]), label: labels[b],
        kept: path.kept.map { $0.ids[b * 4..<(b + 1) * 4].map { Int($0) } }, isDropped: path.dropped[b])
    }
  }

  static let variants: [(String, ModelConfiguration)] = {
    var variants: [(String, ModelConfiguration)] = [("plain", TinyModel.configuration(depth: (1, 2, 1)))]
    var learned = TinyModel.configuration()
    learned.learnsMaskToken = true
    variants.append(("learned mask", learned))
    learned.fusion = .none
    variants.append(("no fusion", learned))
    for block in 1...3 {
      var aligned = TinyModel.configuration()
      aligned.projector = ProjectorConfiguration(hidden: 10, featureWidth: 6, afterBlock: block)
      variants.append(("aligned after block \(block)", aligned))
    }
    let parts: [(String, (inout ModelConfiguration) -> Void)] = [
      ("RMS norm", { $0.norm = .rms }), ("sines", { $0.position = .rotaryAndSines }),
      ("value residual", { $0.mixesValues = true }), ("class token", { $0.classToken = 6 }),
      ("shallow path first", { $0.fusion = .shallowFirst }), ("channel last", { $0.outputOrder = .channelLast }),
      ("norm of heads", { $0.headNormEpsilon = 0.1 }),
    ]
    var all = TinyModel.configuration(depth: (2, 2, 1))
    all.projector = ProjectorConfiguration(hidden: 10, featureWidth: 6, afterBlock: 2)
    all.learnsMaskToken = true
    for (name, change) in parts {
      var some = TinyModel.configuration(depth: (1, 2, 1))
      change(&some)
      variants.append((name, some))
      change(&all)
    }
    variants.append(("all parts of SR-DiT", all))
    return variants
  }()

  @Test(
    "Every gradient of the network is within 1e-3 of central differences in float64", arguments: variants,
    [true, false])
  func gradients(variant: (String, ModelConfiguration), kept: Bool) {
    let model = TinyModel(variant.1)
    let inputs = Inputs(variant.1, kept: kept)
    let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
    var pass = Pass()
    model.network.forward(model.weights, inputs.input, into: &pass, in: memory)
    var random = Randomness()
    let upstream = random.matrix(3, variant.1.latentElements)
    memory.velocityGradient.copy(from: upstream.view)
    let classUpstream = variant.1.classToken.map { random.matrix(3, $0) }
    if let classUpstream { memory.classVelocityGradient?.copy(from: classUpstream.view) }
    let naive = NaiveNetwork(variant.1, model.parameters)
    for b in 0..<3 {
      let expected = inputs.naive(naive, b)
      #expect(relativeError(memory.velocity.vector(b).array.map(Double.init), expected.velocity) < 1e-5)
      guard let velocity = memory.classVelocity else { continue }
      #expect(relativeError(velocity.vector(b).array.map(Double.init), expected.classVelocity) < 1e-5)
    }
    let features = memory.features(of: pass)
    let tokens = features.map { $0.values.rows / 3 } ?? 0
    let featureUpstream = features.map { random.matrix($0.values.rows, $0.values.columns) }
    if let features, let featureUpstream { features.gradients.copy(from: featureUpstream.view) }
    let gradients = ParameterArena<Float>(model.network)
    var final: [Range<Int>] = []
    model.network.backward(model.weights, into: gradients, of: pass, in: memory) { final.append($0) }

    // The order of slots is not that of samples: samples without a deep path come last.
    let order = features == nil ? [] : (0..<3).map { pass.featureToken(row: $0 * tokens).sample }
    func loss(_ parameters: [String: [Double]]) -> Double {
      let network = NaiveNetwork(variant.1, parameters)
      return (0..<3).reduce(0) { sum, b in
        let result = inputs.naive(network, b)
        var loss = inner(result.velocity, upstream.naive.row(b))
        if let classUpstream { loss += inner(result.classVelocity, classUpstream.naive.row(b)) }
        if let slot = order.firstIndex(of: b), let features = result.features, let featureUpstream {
          loss += inner(features.values, featureUpstream.naive.rows(slot * tokens..<(slot + 1) * tokens).values)
        }
        return sum + loss
      }
    }
    for parameter in model.network.layout.parameters where parameter.isTrained {
      let values = model.parameters[parameter.name] ?? []
      var parameters = model.parameters
      let gradient = gradients[parameter].array.map(Double.init)
      let error = gradientError(gradient, at: values, stride: max(1, values.count / 4)) {
        parameters[parameter.name] = $0
        return loss(parameters)
      }
      #expect(error < 1e-3, "\(variant.0), \(parameter.name)")
    }
    let isCovered = final.flatMap(Array.init).sorted() == Array(0..<model.network.layout.count)
    #expect(isCovered, "every gradient has to be final exactly once")
  }

  @Test(
    "A sample whose deep path is dropped never enters the middle, and the middle gets no gradient from it",
    arguments: [true, false])
  func droppedSamplesAreSkipped(kept: Bool) {
    let model = TinyModel(TinyModel.configuration())
    let some = Inputs(model.network.configuration, kept: kept, dropped: [true, false, true])
    let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
    var pass = Pass()
    model.network.forward(model.weights, some.input, into: &pass, in: memory)
    let naive = NaiveNetwork(model.network.configuration, model.parameters)
    for b in 0..<3 {
      #expect(
        relativeError(memory.velocity.vector(b).array.map(Double.init), some.naive(naive, b).velocity) < 1e-5)
    }
    let all = Inputs(model.network.configuration, kept: kept, dropped: [true, true, true])
    model.network.forward(model.weights, all.input, into: &pass, in: memory)
    let gradients = ParameterArena<Float>(model.network)
    memory.velocityGradient.copy(from: memory.velocity)
    model.network.backward(model.weights, into: gradients, of: pass, in: memory)
    for parameter in model.network.layout.parameters where parameter.name.hasPrefix("middle") {
      #expect(gradients[parameter].array.allSatisfy { $0 == 0 }, "\(parameter.name)")
    }
  }

  /// If this fails, an image depends on the machine that samples it.
  @Test("Velocities of a pass without backward are the same to the bit for any number of threads")
  func threadCountsOfSamplers() {
    let results = [1, 2, 3].map { workers -> [Float] in
      let model = TinyModel(TinyModel.configuration(width: 48), workers: workers)
      let batch = 96
      let memory = PassMemory(model.network, PassSize(batch: batch, training: false))
      var pass = Pass()
      let latents = TestMatrix(batch, model.network.configuration.latentElements)
      Philox(seed: 5, purpose: .noise).fillNormal(latents.view.flattened.buffer, draw: 0)
      let input = NetworkInput(
        latents: latents.view, times: (0..<batch).map { Float($0) / 100 }, labels: (0..<batch).map { $0 % 3 },
        deepPath: DeepPath(dropped: (0..<batch).map { $0 % 3 == 0 }))
      model.network.forward(model.weights, input, into: &pass, in: memory)
      return memory.velocity.flattened.array
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test("Gradients depend on the number of threads only by the rounding of the matrix products")
  func threadCounts() {
    let results = [1, 2, 3].map { workers -> [Double] in
      let model = TinyModel(TinyModel.configuration(width: 48), workers: workers)
      let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
      var pass = Pass()
      let random = Philox(seed: 5, purpose: .noise)
      let latents = TestMatrix(3, model.network.configuration.latentElements)
      random.fillNormal(UnsafeMutableBufferPointer(start: latents.view.base, count: latents.vector.count), draw: 0)
      let input = NetworkInput(
        latents: latents.view, times: [0.1, 0.5, 0.8], labels: [0, 1, 2], deepPath: .all(batch: 3))
      model.network.forward(model.weights, input, into: &pass, in: memory)
      memory.velocityGradient.copy(from: memory.velocity)
      let gradients = ParameterArena<Float>(model.network)
      model.network.backward(model.weights, into: gradients, of: pass, in: memory)
      return (memory.velocity.flattened.array + gradients.elements.array).map(Double.init)
    }
    #expect(relativeError(results[0], results[1]) < 2e-6 && relativeError(results[0], results[2]) < 2e-6)
  }

  /// Velocity, features and all gradients of one pass.
  private func results(_ model: TinyModel, _ inputs: Inputs, _ memory: PassMemory) -> [Float] {
    var pass = Pass()
    return results(model, inputs, memory, &pass)
  }

  private func results(_ model: TinyModel, _ inputs: Inputs, _ memory: PassMemory, _ pass: inout Pass) -> [Float] {
    let weights = model.weights.rounded(to: memory.precision, model.network)
    model.network.forward(weights, inputs.input, into: &pass, in: memory)
    memory.velocityGradient.copy(from: memory.velocity)
    if let velocity = memory.classVelocity { memory.classVelocityGradient?.copy(from: velocity) }
    memory.features(of: pass).map { $0.gradients.copy(from: $0.values) }
    let gradients = memory.sharedGradients ?? ParameterArena<Float>(model.network)
    if memory.sharedGradients == nil { for i in 0..<gradients.elements.count { gradients.elements[i] = .nan } }
    model.network.backward(weights, into: gradients, of: pass, in: memory)
    return memory.velocity.flattened.array + (memory.classVelocity?.flattened.array ?? [])
      + (memory.features(of: pass)?.values.flattened.array ?? [])
      + gradients.elements.array
  }

  /// If this fails, a step depends on the step before it.
  @Test("A pass that serves again forgets the pass before it", arguments: variants)
  func reusedPass(variant: (String, ModelConfiguration)) {
    let model = TinyModel(variant.1)
    let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
    let inputs = Inputs(variant.1, kept: true)
    let others = Inputs(variant.1, kept: false, dropped: [true, false, false])
    let expected = results(model, inputs, memory)
    var pass = Pass()
    _ = results(model, others, memory, &pass)
    #expect(results(model, inputs, memory, &pass) == expected)
  }

  /// If this fails, `memory.recompute: blocks` trains another network, or saves no memory.
  @Test(
    "Blocks that are computed again give the same gradients and need less memory", arguments: variants, [true, false])
  func recompute(variant: (String, ModelConfiguration), kept: Bool) {
    let model = TinyModel(variant.1)
    let inputs = Inputs(variant.1, kept: kept)
    for precision in Precision.allCases {
      let plain = PassSize(batch: 3, training: true, precision: precision)
      let thrifty = PassSize(batch: 3, training: true, recompute: .blocks, precision: precision)
      let expected = results(model, inputs, PassMemory(model.network, plain))
      let found = results(model, inputs, PassMemory(model.network, thrifty))
      #expect(relativeError(found.map(Double.init), expected.map(Double.init)) < 2e-6)
      #expect(PassMemory.count(model.network, thrifty) < PassMemory.count(model.network, plain))
    }
  }

  /// If this fails, a gradient overwrites an activation that the backward pass still reads.
  @Test(
    "Activations in the memory of later gradients change no bit and need less memory", arguments: variants,
    [true, false])
  func sharedGradients(variant: (String, ModelConfiguration), kept: Bool) {
    let model = TinyModel(variant.1)
    let gradients = ParameterArena<Float>(model.network)
    for precision in Precision.allCases {
      let plain = PassSize(batch: 3, training: true, precision: precision)
      let sharing = PassSize(batch: 3, training: true, precision: precision, sharesGradients: true)
      let count = PassMemory.count(model.network, sharing)
      let memory = PassMemory(model.network, sharing, in: Arena(count: count), gradients: gradients)
      for dropped in [[false, false, true], [true, true, true], [false, false, false]] {
        let inputs = Inputs(variant.1, kept: kept, dropped: dropped)
        let (found, expected) = (
          results(model, inputs, memory), results(model, inputs, PassMemory(model.network, plain))
        )
        let different = zip(found, expected).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
        #expect(different.isEmpty && found.count == expected.count, "\(precision), \(dropped): \(different.prefix(9))")
      }
      #expect(count < PassMemory.count(model.network, plain))
    }
  }

  @Test("A pass that adds its gradients to those of another one doubles them")
  func addedGradients() {
    let model = TinyModel(TinyModel.configuration())
    let inputs = Inputs(model.network.configuration, kept: true)
    let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
    let gradients = ParameterArena<Float>(model.network)
    let passes = [false, true].map { adds in
      var pass = Pass()
      model.network.forward(model.weights, inputs.input, into: &pass, in: memory)
      memory.velocityGradient.copy(from: memory.velocity)
      model.network.backward(model.weights, into: gradients, adds: adds, of: pass, in: memory)
      return gradients.elements.array.map(Double.init)
    }
    #expect(relativeError(passes[1], passes[0].map { 2 * $0 }) < 1e-6)
  }

  /// If this fails, a pass in bfloat16 computes another function, or another gradient.
  @Test(
    "Velocity, features and gradients in bfloat16 are those of float32 with the same weights, to bfloat16's rounding",
    arguments: variants, [true, false])
  func bfloat16(variant: (String, ModelConfiguration), kept: Bool) {
    let model = TinyModel(variant.1)
    for i in 0..<model.weights.elements.count { model.weights.elements[i] = BFloat16(model.weights.elements[i]).float }
    let inputs = Inputs(variant.1, kept: kept)
    let exact = results(model, inputs, PassMemory(model.network, PassSize(batch: 3, training: true)))
    let size = PassSize(batch: 3, training: true, precision: .bfloat16)
    let found = results(model, inputs, PassMemory(model.network, size))
    let gradients = exact.count - model.network.layout.count
    var parts = [("velocity and features", 0..<gradients)]
    let trained = model.network.layout.parameters.filter(\.isTrained)
    for parameter in trained where parameter.shape != [1] {
      parts.append((parameter.name, parameter.range.lowerBound + gradients..<parameter.range.upperBound + gradients))
    }
    // A single number's gradient may cancel to less than its rounding; together they do not.
    if let first = trained.first(where: { $0.shape == [1] }) {
      parts.append(("v1_lambda", first.range.lowerBound + gradients..<exact.count))
    }
    for (name, range) in parts {
      let error = relativeError(found[range].map(Double.init), exact[range].map(Double.init))
      #expect(error < 0.05, "\(variant.0): \(name) differs by \(error)")
    }
  }

  /// If this fails, a stage reads what the stage before it has left in their common memory.
  @Test("Results do not depend on what the memory holds before the pass, or on its size")
  func usedMemory() {
    let model = TinyModel(TinyModel.configuration(depth: (1, 2, 1)))
    let inputs = Inputs(model.network.configuration, kept: true)
    let size = PassSize(batch: 3, kept: 4, training: true)
    let arena = Arena(count: 2 * PassMemory.count(model.network, size))
    let first = results(model, inputs, PassMemory(model.network, size, in: arena))
    for i in 0..<arena.elements.count { arena.elements[i] = .nan }
    #expect(results(model, inputs, PassMemory(model.network, size, in: arena)) == first)
  }

  @Test("The check names the first operation that yields a non-finite number")
  func finiteCheck() throws {
    let model = TinyModel(TinyModel.configuration())
    let place = try #require(model.network.layout.parameter("middle_blocks.0.mlp.fc1.bias"))
    model.weights[place][3] = .nan
    let inputs = Inputs(model.network.configuration, kept: true)
    let check = FiniteCheck()
    let memory = PassMemory(model.network, PassSize(batch: 3, training: false))
    var pass = Pass()
    model.network.forward(model.weights, inputs.input, into: &pass, in: memory, check: check)
    let failure = try #require(check.firstFailure)
    #expect(failure.hasPrefix("middle_blocks.0, mlp.fc1, output["), "\(failure)")
  }

  @Test("The work of an image is the published one: XL/2 238 and about 85 GFLOP, B/2 47 and 23")
  func work() throws {
    for (size, dense, masked) in [("XL", 238.0, 84.6), ("B", 46.6, 23.3)] {
      let published = try #require(ModelConfiguration.sizes[size])
      let model = ModelConfiguration(
        width: published.width, heads: published.heads, depth: published.depth, side: 32, channels: 4, patch: 2,
        classes: 1000)
      #expect(abs(model.forwardWork(kept: 256) / 1e9 / dense - 1) < 0.01)
      #expect(abs(model.forwardWork(kept: 64) / 1e9 / masked - 1) < 0.01)
    }
  }

  @Test(
    "Stretches that the backward pass calls final cover every gradient once and do not change afterwards",
    arguments: variants,
    [true, false])
  func finalStretches(variant: (String, ModelConfiguration), kept: Bool) {
    let model = TinyModel(variant.1)
    // With all deep paths dropped no middle block runs, but its gradients are final all the same.
    for dropped in [[false, false, true], [true, true, true]] {
      let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
      var pass = Pass()
      let inputs = Inputs(variant.1, kept: kept, dropped: dropped)
      var random = Randomness()
      let upstream = random.matrix(3, variant.1.latentElements)
      withExtendedLifetime((inputs, upstream)) {
        model.network.forward(model.weights, inputs.input, into: &pass, in: memory)
        memory.velocityGradient.copy(from: upstream.view)
      }
      let gradients = ParameterArena<Float>(model.network)
      var calls = [Int](repeating: 0, count: gradients.elements.count)
      var values = [Float](repeating: .nan, count: calls.count)
      model.network.backward(model.weights, into: gradients, of: pass, in: memory) { range in
        for i in range { (calls[i], values[i]) = (calls[i] + 1, gradients.elements[i]) }
      }
      #expect(calls.allSatisfy { $0 == 1 })
      #expect(values == gradients.elements.array && values.contains { $0 != 0 })
    }
  }
}

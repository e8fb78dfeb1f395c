import SprintKernels
import SprintModel
import SprintTestSupport
import Testing

/// The network with a teacher's attention, against its twin in float64.
@Suite struct AttentionAlignmentTests {
  /// A pass over three samples; the second has no class, the third no deep path.
  private struct Setting {
    let model: TinyModel
    let inputs: NetworkTests.Inputs
    let layout: AttentionLayout
    let targets: TestMatrix

    init(_ blocks: [Int], projector: Int?, kept: Bool) {
      var configuration = TinyModel.configuration(depth: (1, 2, 1))
      configuration.attentionAlignment = AttentionAlignment(blocks: blocks, heads: 1)
      configuration.projector = projector.map { ProjectorConfiguration(hidden: 10, featureWidth: 6, afterBlock: $0) }
      model = TinyModel(configuration)
      inputs = NetworkTests.Inputs(configuration, kept: kept)
      layout = configuration.attentionLayout(kept: kept ? 4 : 16) ?? AttentionLayout(heads: 1, tokens: [])
      var random = Randomness("targets")
      targets = random.matrix(3, layout.count)
      for sample in 0..<3 {
        for layer in blocks.indices {
          let map = layout.map(targets.view.vector(sample), layer: layer, head: 0)
          for r in 0..<map.rows {
            for c in 0..<map.columns { map[r, c] *= map[r, c] }
            let sum = (0..<map.columns).reduce(Float(0)) { $0 + map[r, $1] }
            for c in 0..<map.columns { map[r, c] /= sum }
          }
        }
      }
    }

    var input: NetworkInput {
      var input = inputs.input
      input.attention = AttentionTargets(targets.view, layout)
      input.readsFeatures = false
      return input
    }

    /// Velocities, and the mean cross-entropy of attention.
    func naive(_ parameters: [String: [Double]]) -> (velocities: [[Double]], attention: Double) {
      let configuration = model.network.configuration
      let network = NaiveNetwork(configuration, parameters)
      let blocks = configuration.attentionAlignment?.blocks ?? []
      var attention = 0.0
      let velocities = (0..<3).map { b in
        network.velocity(
          inputs.latents.naive.row(b), time: Double(inputs.times[b]), label: inputs.labels[b],
          kept: inputs.path.kept.map { $0.ids[b * 4..<(b + 1) * 4].map { Int($0) } }, isDropped: inputs.path.dropped[b]
        ) { block, head, log in
          guard head == 0, let layer = blocks.firstIndex(of: block) else { return }
          let map = layout.map(targets.view.vector(b), layer: layer, head: 0)
          let target = NaiveMatrix(rows: map.rows, columns: map.columns) { Double(map[$0, $1]) }
          attention += Naive.crossEntropy(log: log, target: target) / Double(3 * map.rows * blocks.count)
        }.velocity
      }
      return (velocities, attention)
    }
  }

  /// If this fails, alignment of attention pulls at other weights, or with another strength.
  @Test(
    "Loss and gradients of attention's alignment are within 2e-5 of float64, in all sections, with and without drop",
    arguments: [[1, 0], [3, 2]], [true, false])
  func gradients(blocks: [Int], kept: Bool) {
    let setting = Setting(blocks, projector: nil, kept: kept)
    let model = setting.model
    let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
    var pass = Pass()
    model.network.forward(model.weights, setting.input, into: &pass, in: memory)
    var random = Randomness()
    let upstream = random.matrix(3, model.network.configuration.latentElements)
    memory.velocityGradient.copy(from: upstream.view)
    let gradients = ParameterArena<Float>(model.network)
    model.network.backward(model.weights, into: gradients, of: pass, attentionGradient: 20, in: memory)
    let losses = memory.attentionLosses(of: pass)
    let expected = setting.naive(model.parameters).attention
    #expect(abs(losses.reduce(0, +) / Double(losses.count) - expected) < 2e-6 * expected)

    var (found, differences) = ([Double](), [Double]())
    for parameter in model.network.layout.parameters where parameter.isTrained {
      let values = model.parameters[parameter.name] ?? []
      for i in stride(from: 0, to: values.count, by: max(1, values.count / 2)) {
        func objective(_ step: Double) -> Double {
          var parameters = model.parameters
          parameters[parameter.name]?[i] += step
          let result = setting.naive(parameters)
          return (0..<3).reduce(20 * result.attention) { $0 + inner(result.velocities[$1], upstream.naive.row($1)) }
        }
        found.append(Double(gradients[parameter][i]))
        differences.append((objective(1e-5) - objective(-1e-5)) / 2e-5)
      }
    }
    #expect(relativeError(found, differences) < 2e-5)
  }

  /// If this fails, a sample without a deep path is not taught, or it is taught and then enters the fusion.
  @Test("A sample whose deep path is dropped goes as far as attention is compared, and no further", arguments: [1, 2])
  func droppedSamples(block: Int) {
    let setting = Setting([block], projector: nil, kept: true)
    let model = setting.model
    let memory = PassMemory(model.network, PassSize(batch: 3, training: true))
    var pass = Pass()
    model.network.forward(model.weights, setting.input, into: &pass, in: memory)
    let expected = setting.naive(model.parameters)
    for b in 0..<3 {
      #expect(relativeError(memory.velocity.vector(b).array.map(Double.init), expected.velocities[b]) < 1e-5)
    }
    #expect(abs(memory.attentionLosses(of: pass)[0] - expected.attention) < 2e-6 * expected.attention)
  }

  /// If this fails, a step in bfloat16, with less memory or with blocks computed again learns something else.
  @Test("Memory that is shared or saved changes no bit, and bfloat16 little")
  func memories() {
    let setting = Setting([1, 0, 3], projector: 2, kept: true)
    let model = setting.model
    func results(_ size: PassSize) -> [Double] {
      let gradients = ParameterArena<Float>(model.network)
      let memory = PassMemory(
        model.network, size, in: Arena(count: PassMemory.count(model.network, size)), gradients: gradients)
      var (pass, input) = (Pass(), setting.input)
      input.readsFeatures = true
      let weights = model.weights.rounded(to: size.precision, model.network)
      model.network.forward(weights, input, into: &pass, in: memory)
      memory.velocityGradient.copy(from: memory.velocity)
      memory.features(of: pass).map { $0.gradients.copy(from: $0.values) }
      model.network.backward(weights, into: gradients, of: pass, attentionGradient: 5, in: memory)
      return (memory.attentionLosses(of: pass) + gradients.elements.array.map(Double.init))
    }
    let plain = results(PassSize(batch: 3, training: true))
    #expect(results(PassSize(batch: 3, training: true, sharesGradients: true)) == plain)
    #expect(relativeError(results(PassSize(batch: 3, training: true, recompute: .blocks)), plain) < 2e-6)
    #expect(relativeError(results(PassSize(batch: 3, training: true, precision: .bfloat16)), plain) < 0.05)
  }
}

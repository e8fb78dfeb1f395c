import SprintKernels

/// A parameter's place in the arenas.
package struct Parameter: Sendable, Equatable {
  /// The published name.
  package let name: String
  /// The published shape.
  package let shape: [Int]
  /// Where it lies in every arena (weights, gradients, moments, average).
  package let range: Range<Int>
  /// False for what keeps its initial value.
  package let isTrained: Bool
}

/// The only table of parameter names, shapes and offsets.
///
/// The order is the order in which the backward pass finishes gradients, so a stretch of the arena becomes final as a whole:
/// output layer, decoder from its last block to its first, fusion, middle, encoder, input layer; then all modulation
/// weights without gaps, so that one product makes every block's modulation; last the embeddings of time and class.
package struct ParameterLayout: Sendable {
  /// All parameters in the order of the arena.
  package private(set) var parameters: [Parameter] = []
  /// Floats in an arena.
  package private(set) var count = 0
  private var byName: [String: Int] = [:]
  private let configuration: ModelConfiguration

  /// The layout of a network.
  package init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    let (d, patch) = (configuration.width, configuration.patchElements)
    addLinear("final_layer.linear", inputs: d, outputs: patch)
    addBlocks(.decoder)
    if configuration.fusion == .concatLinear { addLinear("renoise_linear", inputs: 2 * d, outputs: d) }
    add("mask_token", [1, 1, d], trained: configuration.learnsMaskToken)
    addBlocks(.middle)
    addBlocks(.encoder)
    addLinear("x_embedder.proj", inputs: patch, outputs: d)
    for (name, rows) in modulations { add("\(name).weight", [rows, d]) }
    for (name, rows) in modulations { add("\(name).bias", [rows]) }
    addLinear("t_embedder.mlp.0", inputs: ParameterLayout.timeFeatureWidth, outputs: d)
    addLinear("t_embedder.mlp.2", inputs: d, outputs: d)
    add("y_embedder.embedding_table.weight", [configuration.classes + 1, d])
  }

  /// Width of the sinusoidal time features.
  static let timeFeatureWidth = 256

  /// The parameter called `name`, if the network has one.
  package func parameter(_ name: String) -> Parameter? { byName[name].map { parameters[$0] } }

  /// The place of a parameter that the network is known to have.
  func range(_ name: String) -> Range<Int> {
    guard let parameter = parameter(name) else { preconditionFailure("the network has no parameter \(name)") }
    return parameter.range
  }

  /// The place of everything that belongs to block `block` but its modulation, which lies with the others.
  func range(ofBlock block: Int) -> Range<Int> {
    let name = configuration.name(ofBlock: block)
    return range("\(name).attn.qkv.weight").lowerBound..<range("\(name).mlp.fc2.bias").upperBound
  }

  /// Modulation layers and their output rows in the order of the arena: the output layer's 2 D, then 6 D of every block from
  /// the last to the first.
  var modulations: [(name: String, rows: Int)] {
    let d = configuration.width
    return [("final_layer.adaLN_modulation.1", 2 * d)]
      + (0..<configuration.blocks).reversed().map { ("\(configuration.name(ofBlock: $0)).adaLN_modulation.1", 6 * d) }
  }

  /// The columns of the modulation vectors that belong to block `block`.
  func modulationColumns(ofBlock block: Int) -> Range<Int> {
    let d = configuration.width
    let start = 2 * d + (configuration.blocks - 1 - block) * 6 * d
    return start..<start + 6 * d
  }

  private mutating func addBlocks(_ section: Section) {
    let (d, head, hidden) = (configuration.width, configuration.headWidth, configuration.hidden)
    for block in configuration.blocks(of: section).reversed() {
      if configuration.projector?.afterBlock == block + 1 { addProjector() }
      let name = configuration.name(ofBlock: block)
      addLinear("\(name).attn.qkv", inputs: d, outputs: 3 * d)
      add("\(name).attn.q_norm.weight", [head])
      add("\(name).attn.k_norm.weight", [head])
      addLinear("\(name).attn.proj", inputs: d, outputs: d)
      addLinear("\(name).mlp.fc1", inputs: d, outputs: hidden)
      addLinear("\(name).mlp.fc2", inputs: hidden, outputs: d)
    }
  }

  private mutating func addProjector() {
    guard let projector = configuration.projector else { return }
    addLinear("projectors.0", inputs: configuration.width, outputs: projector.hidden)
    addLinear("projectors.2", inputs: projector.hidden, outputs: projector.hidden)
    addLinear("projectors.4", inputs: projector.hidden, outputs: projector.featureWidth)
  }

  private mutating func addLinear(_ name: String, inputs: Int, outputs: Int) {
    add("\(name).weight", [outputs, inputs])
    add("\(name).bias", [outputs])
  }

  private mutating func add(_ name: String, _ shape: [Int], trained: Bool = true) {
    let size = shape.reduce(1, *)
    byName[name] = parameters.count
    parameters.append(Parameter(name: name, shape: shape, range: count..<count + size, isTrained: trained))
    count += size
  }
}

/// A linear layer's weight [outputs, inputs] and bias [outputs] in one arena.
struct LinearParameters: Sendable {
  let weight: Matrix
  let bias: Vector

  init(_ name: String, _ layout: ParameterLayout, _ arena: Vector) {
    let place = layout.range("\(name).bias")
    bias = arena[place]
    let elements = arena[layout.range("\(name).weight")]
    weight = elements.matrix(columns: elements.count / place.count)
  }
}

/// What belongs to one block but its modulation, in one arena (weights or gradients).
struct BlockParameters: Sendable {
  let qkv, projection, fc1, fc2: LinearParameters
  let queryNorm, keyNorm: Vector

  init(_ block: Int, _ configuration: ModelConfiguration, _ layout: ParameterLayout, _ arena: Vector) {
    let name = configuration.name(ofBlock: block)
    qkv = LinearParameters("\(name).attn.qkv", layout, arena)
    projection = LinearParameters("\(name).attn.proj", layout, arena)
    fc1 = LinearParameters("\(name).mlp.fc1", layout, arena)
    fc2 = LinearParameters("\(name).mlp.fc2", layout, arena)
    queryNorm = arena[layout.range("\(name).attn.q_norm.weight")]
    keyNorm = arena[layout.range("\(name).attn.k_norm.weight")]
  }
}

/// All parameters of the network as views into one arena (weights, gradients, or a moving average).
struct NetworkParameters: Sendable {
  let blocks: [BlockParameters]
  let input, output, time0, time2: LinearParameters
  let fusion: LinearParameters?
  let projector: [LinearParameters]
  let maskToken: Vector
  let classes: Matrix
  /// Every modulation layer at once: weight [rows, D], bias [rows].
  let modulationWeight: Matrix
  let modulationBias: Vector

  init(_ configuration: ModelConfiguration, _ layout: ParameterLayout, _ arena: Vector) {
    precondition(arena.count == layout.count, "an arena of \(arena.count) floats for \(layout.count) parameters")
    blocks = (0..<configuration.blocks).map { BlockParameters($0, configuration, layout, arena) }
    input = LinearParameters("x_embedder.proj", layout, arena)
    output = LinearParameters("final_layer.linear", layout, arena)
    time0 = LinearParameters("t_embedder.mlp.0", layout, arena)
    time2 = LinearParameters("t_embedder.mlp.2", layout, arena)
    fusion = configuration.fusion == .concatLinear ? LinearParameters("renoise_linear", layout, arena) : nil
    projector =
      configuration.projector == nil ? [] : [0, 2, 4].map { LinearParameters("projectors.\($0)", layout, arena) }
    maskToken = arena[layout.range("mask_token")]
    classes = arena[layout.range("y_embedder.embedding_table.weight")].matrix(columns: configuration.width)
    let names = layout.modulations.map(\.name)
    let (first, last) = (names[0], names[names.count - 1])
    modulationWeight =
      arena[layout.range("\(first).weight").lowerBound..<layout.range("\(last).weight").upperBound]
      .matrix(columns: configuration.width)
    modulationBias = arena[layout.range("\(first).bias").lowerBound..<layout.range("\(last).bias").upperBound]
  }
}

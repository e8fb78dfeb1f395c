import SprintKernels

/// A parameter of the network and its place in the arenas.
package struct Parameter: Sendable, Equatable {
  /// The published name.
  package let name: String
  /// The published shape.
  package let shape: [Int]
  /// Its place in every arena (weights, gradients, moments, average).
  package let range: Range<Int>
  /// Whether training changes it; a frozen parameter keeps its initial value.
  package let isTrained: Bool
}

/// The only table of parameter names, shapes and offsets.
///
/// The order is the order in which the backward pass finishes gradients, so that whole stretches of the arena become
/// final: output layer, decoder from its last block to its first, fusion, middle, encoder, input layer; then all
/// modulation weights without gaps, so that one product computes the modulation of every layer; then the embeddings of
/// time and class; last the single numbers, which would otherwise move all that follows off its place in memory.
package struct ParameterLayout: Sendable {
  /// All parameters in the order of the arena.
  package private(set) var parameters: [Parameter] = []
  /// Floats in an arena.
  package private(set) var count = 0
  private var byName: [String: Int] = [:]
  /// The network's shape.
  package let configuration: ModelConfiguration

  /// Lays out the parameters of a network.
  package init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    let (width, patch) = (configuration.width, configuration.patchElements)
    addLinear("final_layer.linear", inputs: width, outputs: patch)
    if let token = configuration.classToken { addLinear("final_layer.linear_cls", inputs: width, outputs: token) }
    addBlocks(.decoder)
    if configuration.fusion != .none { addLinear("renoise_linear", inputs: 2 * width, outputs: width) }
    add("mask_token", [1, 1, width], trained: configuration.learnsMaskToken)
    addBlocks(.middle)
    addBlocks(.encoder)
    addLinear("x_embedder.proj", inputs: patch, outputs: width)
    if let token = configuration.classToken {
      addLinear("cls_projectors2", inputs: token, outputs: width)
      add("wg_norm.weight", [width])
    }
    for (name, rows) in modulations { add("\(name).weight", [rows, width]) }
    for (name, rows) in modulations { add("\(name).bias", [rows]) }
    addLinear("t_embedder.mlp.0", inputs: ModelConfiguration.timeFeatureWidth, outputs: width)
    addLinear("t_embedder.mlp.2", inputs: width, outputs: width)
    add("y_embedder.embedding_table.weight", [configuration.classes + 1, width])
    for block in configuration.blocksThatMixValues { add(configuration.valueShareName(ofBlock: block), [1]) }
  }

  /// The parameter with the published name `name`, or nil if the network has none.
  package func parameter(_ name: String) -> Parameter? { byName[name].map { parameters[$0] } }

  /// The place of a parameter that every such network has.
  func range(_ name: String) -> Range<Int> {
    guard let parameter = parameter(name) else { preconditionFailure("the network has no parameter \(name)") }
    return parameter.range
  }

  /// The place of all parameters of block `block` except its modulation, which lies with all other modulations.
  func range(ofBlock block: Int) -> Range<Int> {
    let name = configuration.name(ofBlock: block)
    return range("\(name).attn.qkv.weight").lowerBound..<range("\(name).mlp.fc2.bias").upperBound
  }

  /// The places of all parameters of block `block`.
  package func places(ofBlock block: Int) -> [Range<Int>] {
    [range(ofBlock: block)] + modulation(of: configuration.name(ofBlock: block))
  }

  /// The places of a layer's modulation weights and biases, which lie with those of all others, far from the rest of
  /// the layer.
  func modulation(of owner: String) -> [Range<Int>] {
    ["weight", "bias"].map { range("\(owner).adaLN_modulation.1.\($0)") }
  }

  /// The place of the output layer.
  var outputLayer: Range<Int> {
    stretch(from: "final_layer.linear.weight", through: "final_layer.linear_cls.bias", or: "final_layer.linear.bias")
  }

  /// The place of the layers that make tokens.
  var inputLayer: Range<Int> {
    stretch(from: "x_embedder.proj.weight", through: "wg_norm.weight", or: "x_embedder.proj.bias")
  }

  private func stretch(from first: String, through last: String, or other: String) -> Range<Int> {
    range(first).lowerBound..<(parameter(last)?.range ?? range(other)).upperBound
  }

  /// The place of the projector, if the network has one.
  package var projector: Range<Int>? {
    parameter("projectors.0.weight").map { $0.range.lowerBound..<range("projectors.4.bias").upperBound }
  }

  /// The place of the modulation weights, or biases, of all layers.
  func range(ofModulations part: String) -> Range<Int> {
    let first = Self.outputModulation
    let last = configuration.blocks > 0 ? modulationName(ofBlock: 0) : first
    return range("\(first).\(part)").lowerBound..<range("\(last).\(part)").upperBound
  }

  /// The place of the modulation weights of block `block`.
  func range(ofModulationOfBlock block: Int) -> Range<Int> {
    let (start, rows) = (range(ofModulations: "weight").lowerBound, modulationColumns(ofBlock: block))
    return start + rows.lowerBound * configuration.width..<start + rows.upperBound * configuration.width
  }

  /// Modulation layers and their output rows in the order of the arena: the output layer's, then those of every block
  /// from the last to the first.
  var modulations: [(name: String, rows: Int)] {
    [(Self.outputModulation, outputModulationColumns.count)]
      + (0..<configuration.blocks).reversed().map {
        (modulationName(ofBlock: $0), modulationColumns(ofBlock: $0).count)
      }
  }

  private static let outputModulation = "final_layer.adaLN_modulation.1"

  private func modulationName(ofBlock block: Int) -> String {
    "\(configuration.name(ofBlock: block)).adaLN_modulation.1"
  }

  /// The columns of block `block` in the [B, vectors · D] modulation vectors of all layers.
  func modulationColumns(ofBlock block: Int) -> Range<Int> {
    let count = ModulationPart.count * configuration.width
    let start = outputModulationColumns.upperBound + (configuration.blocks - 1 - block) * count
    return start..<start + count
  }

  /// The columns of the output layer in the modulation vectors of all layers.
  var outputModulationColumns: Range<Int> { 0..<OutputModulationPart.count * configuration.width }

  private mutating func addBlocks(_ section: Section) {
    let (width, head, hidden) = (configuration.width, configuration.headWidth, configuration.hidden)
    for block in configuration.blocks(of: section).reversed() {
      if configuration.projector?.afterBlock == block + 1 { addProjector() }
      let name = configuration.name(ofBlock: block)
      addLinear("\(name).attn.qkv", inputs: width, outputs: 3 * width)
      add("\(name).attn.q_norm.weight", [head])
      add("\(name).attn.k_norm.weight", [head])
      addLinear("\(name).attn.proj", inputs: width, outputs: width)
      addLinear("\(name).mlp.fc1", inputs: width, outputs: hidden)
      addLinear("\(name).mlp.fc2", inputs: hidden, outputs: width)
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

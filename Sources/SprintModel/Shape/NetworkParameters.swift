import SprintKernels

/// A linear layer's weight [outputs, inputs] and bias [outputs] in one arena.
struct LinearParameters<Element: MatrixElement>: Sendable {
  let weight: Matrix<Element>
  let bias: Vector<Element>

  init(_ name: String, _ layout: ParameterLayout, _ arena: Vector<Element>) {
    let place = layout.range("\(name).bias")
    bias = arena[place]
    let elements = arena[layout.range("\(name).weight")]
    weight = elements.matrix(columns: elements.count / place.count)
  }
}

/// y = x · Wᵀ + b, with the parameters of `layer`.
func linear<Element: MatrixElement, Result: MatrixElement>(
  _ x: Matrix<Element>, _ layer: LinearParameters<Element>, into y: Matrix<Result>
) {
  linear(x, weight: layer.weight, bias: layer.bias, into: y)
}

/// The parameters of one block except its modulation, in one arena (weights or gradients).
struct BlockParameters<Element: MatrixElement>: Sendable {
  let qkv, projection, fc1, fc2: LinearParameters<Element>
  let queryNorm, keyNorm: Vector<Element>
  /// [1] the share of the first block's values, if the block mixes them into its own.
  let valueShare: Vector<Element>?

  init(_ block: Int, _ configuration: ModelConfiguration, _ layout: ParameterLayout, _ arena: Vector<Element>) {
    let name = configuration.name(ofBlock: block)
    qkv = LinearParameters("\(name).attn.qkv", layout, arena)
    projection = LinearParameters("\(name).attn.proj", layout, arena)
    fc1 = LinearParameters("\(name).mlp.fc1", layout, arena)
    fc2 = LinearParameters("\(name).mlp.fc2", layout, arena)
    queryNorm = arena[layout.range("\(name).attn.q_norm.weight")]
    keyNorm = arena[layout.range("\(name).attn.k_norm.weight")]
    valueShare = layout.parameter(configuration.valueShareName(ofBlock: block)).map { arena[$0.range] }
  }
}

/// The parameters of the class token: from its numbers to a token, and from the last token to its velocity.
struct ClassTokenParameters<Element: MatrixElement>: Sendable {
  let input, output: LinearParameters<Element>
  let norm: Vector<Element>

  init(_ layout: ParameterLayout, _ arena: Vector<Element>) {
    input = LinearParameters("cls_projectors2", layout, arena)
    output = LinearParameters("final_layer.linear_cls", layout, arena)
    norm = arena[layout.range("wg_norm.weight")]
  }
}

/// All parameters of the network as views into one arena (weights, gradients, or a moving average).
struct NetworkParameters<Element: MatrixElement>: Sendable {
  let blocks: [BlockParameters<Element>]
  let input, output, time0, time2: LinearParameters<Element>
  let fusion: LinearParameters<Element>?
  let projector: [LinearParameters<Element>]
  let classToken: ClassTokenParameters<Element>?
  let maskToken: Vector<Element>
  let classes: Matrix<Element>
  /// All modulation layers at once: weight [vectors · D, D], bias [vectors · D].
  let modulationWeight: Matrix<Element>
  let modulationBias: Vector<Element>

  init(_ configuration: ModelConfiguration, _ layout: ParameterLayout, _ arena: Vector<Element>) {
    precondition(arena.count == layout.count, "an arena of \(arena.count) elements for \(layout.count) parameters")
    blocks = (0..<configuration.blocks).map { BlockParameters($0, configuration, layout, arena) }
    input = LinearParameters("x_embedder.proj", layout, arena)
    output = LinearParameters("final_layer.linear", layout, arena)
    time0 = LinearParameters("t_embedder.mlp.0", layout, arena)
    time2 = LinearParameters("t_embedder.mlp.2", layout, arena)
    classToken = configuration.classToken == nil ? nil : ClassTokenParameters(layout, arena)
    fusion = configuration.fusion != .none ? LinearParameters("renoise_linear", layout, arena) : nil
    projector =
      configuration.projector == nil ? [] : [0, 2, 4].map { LinearParameters("projectors.\($0)", layout, arena) }
    maskToken = arena[layout.range("mask_token")]
    classes = arena[layout.range("y_embedder.embedding_table.weight")].matrix(columns: configuration.width)
    modulationWeight = arena[layout.range(ofModulations: "weight")].matrix(columns: configuration.width)
    modulationBias = arena[layout.range(ofModulations: "bias")]
  }
}

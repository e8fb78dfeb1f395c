import SprintKernels

/// Everything that the sections of a forward or backward pass look at.
struct PassContext<Element: MatrixElement>: Sendable {
  let network: Network
  let configuration: ModelConfiguration
  let weights: NetworkParameters<Element>
  let memory: PassMatrices<Element>
  let pass: Pass
  /// The gradient of the objective with respect to the mean cross-entropy of attention; the forward pass has none.
  let attentionGradient: Double
  let check: FiniteCheck?

  init(
    _ network: Network, _ weights: any NetworkWeights, _ memory: PassMatrices<Element>, _ pass: Pass,
    attentionGradient: Double = 0, _ check: FiniteCheck?
  ) {
    guard let weights = weights as? ParameterArena<Element> else {
      preconditionFailure("weights of another precision than the pass's memory")
    }
    (self.network, configuration, self.weights) = (network, network.configuration, weights.views)
    (self.memory, self.pass, self.attentionGradient, self.check) = (memory, pass, attentionGradient, check)
  }

  var batch: Int { pass.batch }

  /// The rows of some samples among all tokens.
  func rows(_ samples: Range<Int>) -> Range<Int> { pass.all.rows(samples) }

  /// The rows of one sample among all tokens.
  func rows(ofSample sample: Int) -> Range<Int> { pass.all.rows(sample..<sample + 1) }

  /// The rows of the patches of one sample, without its class token, among all tokens.
  func patchRows(ofSample sample: Int) -> Range<Int> {
    let rows = rows(ofSample: sample)
    return rows.lowerBound + configuration.prefix..<rows.upperBound
  }

  /// The rows of the class tokens in the rows of all tokens of some samples, or of all of them.
  func classRows<Values: MatrixElement>(of tokens: Matrix<Values>) -> Matrix<Values> {
    let count = configuration.tokens
    return Matrix(tokens.base, rows: tokens.rows / count, columns: tokens.columns, stride: count * tokens.stride)
  }

  /// The modulation of the output layer.
  var outputModulation: Modulation<OutputModulationPart> {
    Modulation(
      memory.conditionSums[.modulations].columns(network.layout.outputModulationColumns), width: configuration.width)
  }

  /// Block `block` on the rows of `slots`, in the scratch of a worker.
  func block(_ block: Int, _ slots: Range<Int>, _ worker: Int) -> Block<Element> {
    let section = configuration.section(of: block)
    let (index, memory, tokens) = (
      configuration.index(ofBlock: block), memory.section(section), pass.tokens(of: section)
    )
    let rows = tokens.rows(slots)
    return Block(
      name: check == nil ? "" : configuration.name(ofBlock: block), configuration: configuration,
      parameters: weights.blocks[block], input: memory.tokens[index].rows(rows),
      output: memory.tokens[index + 1].rows(rows), activations: memory.blocks[index].activations.rows(rows),
      residual: memory.blocks[index].residual.rows(rows), tokens: tokens,
      slots: slots, modulation: modulation(ofBlock: block), rotary: network.rotary, target: target(ofBlock: block),
      firstValues: self.memory.firstValues,
      firstValueGradients: self.memory.ofBackward?.firstValues, scratch: self.memory.scratch[worker], check: check)
  }

  /// The teacher's attention for a block, if the pass compares it.
  private func target(ofBlock block: Int) -> BlockTarget? {
    guard let targets = pass.attention, let losses = memory.attentionLosses,
      let layer = configuration.attentionAlignment?.layer(ofBlock: block)
    else { return nil }
    let (heads, tokens) = (targets.layout.heads, targets.layout.tokens[layer])
    // The loss is the mean over layers of the mean over samples, heads and rows.
    let rows = Double(targets.layout.tokens.count * batch * heads * tokens)
    return BlockTarget(
      values: targets.values.columns(targets.layout.range(ofLayer: layer)), heads: heads, tokens: tokens,
      losses: losses.columns(layer..<layer + 1), rowGradient: Float(attentionGradient / rows))
  }

  private func modulation(ofBlock block: Int) -> Modulation<ModulationPart> {
    Modulation(
      memory.conditionSums[.modulations].columns(network.layout.modulationColumns(ofBlock: block)),
      width: configuration.width)
  }
}

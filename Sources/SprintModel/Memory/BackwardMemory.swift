import SprintKernels

/// The memory that only the backward pass needs, used again from block to block.
struct BackwardMemory<Element: MatrixElement>: Sendable {
  /// [B, C · S · S] the gradient of the velocity.
  let velocityGradient: Matrix<Float>
  /// [B N, D] the gradients of all tokens, behind the fusion and before it.
  let tokenGradients, shallowGradients: Matrix<Float>
  /// Their copies for products, in the memory of `feedForward`, which is free between sections.
  let tokenOperand, shallowOperand: Operand<Element>
  /// [B M, D] the gradients of the kept tokens in the middle.
  let deepGradients: Matrix<Float>
  /// [B M, D] the gradients of the kept tokens behind the fusion layer.
  let fusedGradients: Matrix<Element>
  /// [B N, C p²] the velocity's gradient, patch by patch.
  let outputPatches: Matrix<Element>
  /// [1, D] the sum of the gradients of all dropped places.
  let droppedSum: Matrix<Float>
  let droppedOperand: Operand<Element>
  let condition: MatrixGroup<ConditionGradient, Element>
  /// [B, vectors · D] the gradients of the modulation vectors.
  let modulations: Matrix<Float>
  let modulationOperand: Operand<Element>
  /// The gradients of both halves of a block, which take turns in one memory.
  let attention, feedForward: HalfGradients<Element>
  let classToken: ClassTokenGradients<Element>?
  /// [B N, D] the gradient of the first block's values in all blocks behind it, if they mix them into their own.
  let firstValues: Matrix<Float>?
  /// [slots, blocks] the gradients of the shares of the first block's values, slot by slot.
  let valueShares: Matrix<Float>
  /// [slots, 2 W] the gradients of the query and key norms, slot by slot, to be summed in the order of slots.
  let norms: Matrix<Float>

  init(batch: Int, kept: Int, _ configuration: ModelConfiguration, _ cut: MatrixCutter) {
    let (rows, deepRows, width) = (batch * configuration.tokens, batch * kept, configuration.width)
    velocityGradient = cut(batch, configuration.latentElements)
    tokenGradients = cut(rows, width)
    shallowGradients = cut(rows, width)
    deepGradients = cut(deepRows, width)
    fusedGradients = cut(deepRows, width)
    outputPatches = cut(rows, configuration.patchElements)
    droppedSum = cut(1, width)
    droppedOperand = Operand(of: droppedSum, cut)
    condition = MatrixGroup(rows: batch, configuration, cut)
    modulations = cut(batch, configuration.modulationVectors * width)
    modulationOperand = Operand(of: modulations, cut)
    let most = max(rows, deepRows)
    let largest = HalfGradients<Element>(
      rows: most, width: width, inner: max(3 * width, configuration.hidden), cut)
    attention = largest.reused(inner: 3 * width)
    feedForward = largest.reused(inner: configuration.hidden)
    tokenOperand = Operand(of: tokenGradients, in: feedForward.normalized)
    shallowOperand = Operand(of: shallowGradients, in: feedForward.output)
    classToken = configuration.classToken.map {
      ClassTokenGradients(batch: batch, featureWidth: $0, width: width, cut)
    }
    firstValues = configuration.mixesValues ? cut(rows, width) : nil
    valueShares = cut(batch, configuration.blocks)
    norms = cut(batch, 2 * configuration.headWidth)
  }
}

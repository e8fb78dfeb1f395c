import SprintKernels

/// The memory that only the backward pass needs, used again from block to block.
struct BackwardMemory: Sendable {
  /// [B, C · S · S] the gradient of the velocity.
  let velocityGradient: Matrix
  /// [B N, D] the gradients of all tokens, behind the fusion and before it.
  let tokenGradients, shallowGradients: Matrix
  /// [B M, D] the gradients of the kept tokens, in the middle and behind the fusion.
  let deepGradients, fusedGradients: Matrix
  /// [B N, C p²] the velocity's gradient, patch by patch.
  let outputPatches: Matrix
  /// [1, D] the sum of the gradients of all dropped places.
  let droppedSum: Matrix
  let condition: MatrixGroup<ConditionGradient>
  let block: MatrixGroup<BlockGradient>
  /// [slots, 2 W] the gradients of the query and key norms, slot by slot, to be summed in the order of slots.
  let norms: Matrix

  init(batch: Int, kept: Int, _ configuration: ModelConfiguration, _ cut: MatrixCutter) {
    let (rows, deepRows, width) = (batch * configuration.tokens, batch * kept, configuration.width)
    velocityGradient = cut(batch, configuration.latentElements)
    tokenGradients = cut(rows, width)
    shallowGradients = cut(rows, width)
    deepGradients = cut(deepRows, width)
    fusedGradients = cut(deepRows, width)
    outputPatches = cut(rows, configuration.patchElements)
    droppedSum = cut(1, width)
    condition = MatrixGroup(rows: batch, configuration, cut)
    block = MatrixGroup(rows: max(rows, deepRows), configuration, cut)
    norms = cut(batch, 2 * configuration.headWidth)
  }
}

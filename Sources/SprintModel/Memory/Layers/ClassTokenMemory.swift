import SprintKernels

/// What the class token's layers read, compute and find; B rows.
struct ClassTokenMemory<Element: MatrixElement>: Sendable {
  /// [B, F] the noisy class tokens as products read them.
  let input: Matrix<Element>
  /// [B, D] their projection, before its norm.
  let projected: Matrix<Float>
  /// [B, F] their velocity.
  let velocity: Matrix<Float>

  init(batch: Int, featureWidth: Int, width: Int, _ cut: MatrixCutter) {
    input = cut(batch, featureWidth)
    projected = cut(batch, width)
    velocity = cut(batch, featureWidth)
  }
}

/// The gradients of the class token's layers; B rows.
struct ClassTokenGradients<Element: MatrixElement>: Sendable {
  /// [B, F] the gradient of the velocity, and its copy for products.
  let velocity: Matrix<Float>
  let velocityOperand: Operand<Element>
  /// [B, D] the gradient of the projection before its norm.
  let projected: Matrix<Element>

  init(batch: Int, featureWidth: Int, width: Int, _ cut: MatrixCutter) {
    velocity = cut(batch, featureWidth)
    velocityOperand = Operand(of: velocity, cut)
    projected = cut(batch, width)
  }
}

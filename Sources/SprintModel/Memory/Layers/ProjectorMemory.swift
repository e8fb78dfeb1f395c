import SprintKernels

/// The hidden layers of the projector and the gradients of its inputs.
enum ProjectorActivation: Int, MatrixName {
  /// [rows, projector width] the first layer before and after SiLU, and its gradient.
  case hidden0, activated0, gradient0
  /// [rows, projector width] the second layer before and after SiLU, and its gradient.
  case hidden1, activated1, gradient1

  func columns(_ configuration: ModelConfiguration) -> Int { configuration.projector?.hidden ?? 0 }
}

/// What the projector reads, computes and finds.
struct ProjectorMemory<Element: MatrixElement>: Sendable {
  /// [rows, D] the tokens that it reads.
  let input: Operand<Element>
  let activations: MatrixGroup<ProjectorActivation, Element>
  /// [rows, F] the projected features and their gradients.
  let features, featureGradients: Matrix<Float>
  let gradientOperand: Operand<Element>

  /// - Parameter tokens: the output of the block that the projector reads
  init(
    reading tokens: Matrix<Float>, rows: Int, featureWidth: Int, _ configuration: ModelConfiguration,
    _ cut: MatrixCutter
  ) {
    input = Operand(of: tokens, cut)
    activations = MatrixGroup(rows: rows, configuration, cut)
    features = cut(rows, featureWidth)
    featureGradients = cut(rows, featureWidth)
    gradientOperand = Operand(of: featureGradients, cut)
  }
}

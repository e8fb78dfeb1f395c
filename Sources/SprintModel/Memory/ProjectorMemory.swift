/// The three layers of the projector and their gradients.
enum ProjectorActivation: Int, MatrixName {
  /// [rows, projector width] the first layer before and after SiLU, and its gradient.
  case hidden0, activated0, gradient0
  /// [rows, projector width] the second layer before and after SiLU, and its gradient.
  case hidden1, activated1, gradient1
  /// [rows, F] the projected features and their gradient.
  case features, featureGradients

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .hidden0, .activated0, .gradient0, .hidden1, .activated1, .gradient1: configuration.projector?.hidden ?? 0
    case .features, .featureGradients: configuration.projector?.featureWidth ?? 0
    }
  }
}

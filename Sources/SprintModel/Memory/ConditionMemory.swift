/// The way from time and class to the modulation vectors; B rows.
enum ConditionActivation: Int, MatrixName {
  /// [B, time features] sines and cosines of the time.
  case timeFeatures
  /// [B, D] the first layer of the time before and after SiLU.
  case hidden, activated
  /// [B, D] time + class before and after SiLU.
  case condition, conditionActivated
  /// [B, vectors · D] the modulation vectors of every layer.
  case modulations

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .timeFeatures: ModelConfiguration.timeFeatureWidth
    case .hidden, .activated, .condition, .conditionActivated: configuration.width
    case .modulations: configuration.modulationVectors * configuration.width
    }
  }
}

/// The gradients on that way, each in the place of the gradient behind SiLU; B rows.
enum ConditionGradient: Int, MatrixName {
  /// [B, vectors · D]
  case modulations
  /// [B, D]
  case condition, hidden

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .modulations: configuration.modulationVectors * configuration.width
    case .condition, .hidden: configuration.width
    }
  }
}

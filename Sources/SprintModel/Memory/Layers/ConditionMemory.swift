/// The way from time and class to the modulation vectors, in the format of its products; B rows.
enum ConditionActivation: Int, MatrixName {
  /// [B, time features] sines and cosines of the time.
  case timeFeatures
  /// [B, D] the first layer of the time before and after SiLU.
  case hidden, activated
  /// [B, D] time + class after SiLU.
  case conditionActivated

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .timeFeatures: ModelConfiguration.timeFeatureWidth
    case .hidden, .activated, .conditionActivated: configuration.width
    }
  }
}

/// What products on that way add up to, in float32; B rows.
enum ConditionSum: Int, MatrixName {
  /// [B, D] time + class.
  case condition
  /// [B, vectors · D] the modulation vectors of every layer.
  case modulations

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .condition: configuration.width
    case .modulations: configuration.modulationVectors * configuration.width
    }
  }
}

/// The gradients on that way, each in the place of the gradient behind SiLU; B rows.
enum ConditionGradient: Int, MatrixName {
  /// [B, D]
  case condition, hidden

  func columns(_ configuration: ModelConfiguration) -> Int { configuration.width }
}

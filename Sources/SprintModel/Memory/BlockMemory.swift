/// What a block keeps of its forward pass besides its input and output.
enum BlockActivation: Int, MatrixName {
  /// [rows, 3 D] queries, keys and values before normalisation.
  case qkv
  /// [rows, D] the output of the attention heads.
  case attended
  /// [rows, D] that output after its projection.
  case projected
  /// [rows, D] the tokens between attention and feed-forward layer.
  case between
  /// [rows, hidden] the feed-forward layer before GELU.
  case hidden
  /// [rows, D] the output of the feed-forward layer.
  case added
  /// [rows, H] the log of each softmax's normaliser.
  case logSumExp
  /// [rows, 2] mean and inverse deviation of the tokens before attention.
  case inputStatistics
  /// [rows, 2] mean and inverse deviation of the tokens before the feed-forward layer.
  case betweenStatistics

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .qkv: 3 * configuration.width
    case .attended, .projected, .between, .added: configuration.width
    case .hidden: configuration.hidden
    case .logSumExp: configuration.heads
    case .inputStatistics, .betweenStatistics: 2
    }
  }
}

/// What the backward pass of a block leaves for the products of the weight gradients.
enum BlockGradient: Int, MatrixName {
  /// [rows, D] the modulated input of the block, computed again.
  case normalizedInput
  /// [rows, D] the gradients of `BlockActivation.projected` and `added`.
  case projected, added
  /// [rows, hidden] the gradient of `BlockActivation.hidden`.
  case hidden
  /// [rows, 3 D] the gradient of `BlockActivation.qkv`.
  case qkv

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .normalizedInput, .projected, .added: configuration.width
    case .hidden: configuration.hidden
    case .qkv: 3 * configuration.width
    }
  }
}

import SprintKernels

/// What a block keeps of its forward pass in the format of its products.
enum BlockActivation: Int, MatrixName {
  /// [rows, 3 D] queries, keys and values before normalisation.
  case qkv
  /// [rows, D] the output of the attention heads.
  case attended
  /// [rows, D] that output after its projection.
  case projected
  /// [rows, hidden] the feed-forward layer before GELU.
  case hidden
  /// [rows, D] the output of the feed-forward layer.
  case added

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .qkv: 3 * configuration.width
    case .attended, .projected, .added: configuration.width
    case .hidden: configuration.hidden
    }
  }
}

/// What a block keeps in float32 besides its input and output.
enum BlockResidual: Int, MatrixName {
  /// [rows, H] the log of each softmax's normaliser.
  case logSumExp
  /// [rows, 2] mean and inverse deviation of the tokens before attention.
  case inputStatistics
  /// [rows, 2] mean and inverse deviation of the tokens before the feed-forward layer.
  case betweenStatistics

  func columns(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .logSumExp: configuration.heads
    case .inputStatistics, .betweenStatistics: 2
    }
  }
}

/// What a block keeps of its forward pass besides its input and output.
struct BlockMemory<Element: MatrixElement>: Sendable {
  let activations: MatrixGroup<BlockActivation, Element>
  let residual: MatrixGroup<BlockResidual, Float>

  /// - Parameter block: the block that uses the memory, if it is a single one
  init(rows: Int, _ configuration: ModelConfiguration, _ cut: MatrixCutter, ofBlock block: Int? = nil) {
    activations = MatrixGroup(rows: rows, configuration, cut, ofBlock: block)
    residual = MatrixGroup(rows: rows, configuration, cut)
  }

  private init(
    _ activations: MatrixGroup<BlockActivation, Element>, _ residual: MatrixGroup<BlockResidual, Float>
  ) {
    (self.activations, self.residual) = (activations, residual)
  }

  /// A view of rows `part`.
  func rows(_ part: Range<Int>) -> BlockMemory { BlockMemory(activations.rows(part), residual.rows(part)) }
}

import SprintKernels

/// The memory of forward (and backward) passes of a network, planned once for passes up to a size and used by one pass
/// after the other. The matrices change from pass to pass, their places never; the state of a pass is a `Pass`.
package final class PassMemory: Sendable {
  /// The largest number of samples in a pass.
  package let batch: Int
  /// The largest number of tokens of a sample in the middle.
  package let kept: Int
  /// [B, C · S · S] the velocity that the last forward pass found.
  package let velocity: Matrix

  let patches, outputPatches: Matrix  // [B N, C p²]
  let normalizedOutput: Matrix  // [B N, D]
  let outputStatistics: Matrix  // [B N, 2]
  let condition: MatrixGroup<ConditionActivation>
  let encoder, middle, decoder: SectionMemory
  let fusedDeep: Matrix  // [B M, D] the deep half of the fusion
  let fusedMask: Matrix  // [1, D] the deep half of the fusion at every dropped place
  let projector: MatrixGroup<ProjectorActivation>?
  let scratch: [WorkerScratch]
  let backward: BackwardMemory?
  /// Whether the backward pass computes blocks again.
  let recomputes: Bool
  private let arena: Arena?

  /// Plans memory of its own for passes of `network`.
  package convenience init(_ network: Network, _ size: PassSize) {
    self.init(network, size, in: Arena(count: PassMemory.count(network, size)))
  }

  /// Plans memory in `arena`, which holds at least `count(network, size)` floats and which nothing else may use
  /// meanwhile.
  package convenience init(_ network: Network, _ size: PassSize, in arena: Arena) {
    arena.reuse()
    self.init(network.configuration, threads: network.workers.count, size, arena, arena.matrix)
  }

  /// Returns the number of floats that passes of a size need.
  package static func count(_ network: Network, _ size: PassSize) -> Int {
    count(network.configuration, threads: network.workers.count, size)
  }

  /// Returns the number of floats that passes of a size need on `threads` threads; `Int.max` stands for all numbers
  /// that are too large for an `Int`.
  package static func count(_ configuration: ModelConfiguration, threads: Int, _ size: PassSize) -> Int {
    var count = 0.0
    _ = PassMemory(configuration, threads: threads, size, nil) { rows, columns in
      count += ((Double(rows) * Double(columns)) / 16).rounded(.up) * 16
      return Matrix(nowhere, rows: rows, columns: columns)
    }
    return Int(exactly: count) ?? .max
  }

  /// The address of matrices that are only counted; nothing reads it.
  private nonisolated(unsafe) static let nowhere = UnsafeMutablePointer<Float>.allocate(capacity: 1)

  private init(
    _ configuration: ModelConfiguration, threads: Int, _ size: PassSize, _ arena: Arena?, _ cut: MatrixCutter
  ) {
    let (batch, kept) = (size.batch, size.kept ?? configuration.tokens)
    let (rows, deepRows) = (batch * configuration.tokens, batch * kept)
    (self.batch, self.kept, self.arena) = (batch, kept, arena)
    recomputes = size.retention == .inputs
    velocity = cut(batch, configuration.latentElements)
    patches = cut(rows, configuration.patchElements)
    outputPatches = cut(rows, configuration.patchElements)
    normalizedOutput = cut(rows, configuration.width)
    outputStatistics = cut(rows, 2)
    condition = MatrixGroup(rows: batch, configuration, cut)
    let shared: MatrixGroup<BlockActivation>? =
      size.retention == .everything ? nil : MatrixGroup(rows: max(rows, deepRows), configuration, cut)
    func section(_ rows: Int, _ depth: Int) -> SectionMemory {
      SectionMemory(rows: rows, depth: depth, size.retention, shared: shared, configuration, cut)
    }
    encoder = section(rows, configuration.encoderDepth)
    middle = section(deepRows, configuration.middleDepth)
    decoder = section(rows, configuration.decoderDepth)
    fusedDeep = configuration.fusion == .none ? middle.output : cut(deepRows, configuration.width)
    fusedMask = cut(1, configuration.width)
    projector =
      size.isTraining && configuration.projector != nil ? MatrixGroup(rows: rows, configuration, cut) : nil
    let chunk = PassMemory.chunkRows(configuration, threads, size)
    scratch = (0..<threads).map { _ in
      WorkerScratch(rows: chunk, isTraining: size.isTraining, configuration, cut)
    }
    backward = size.isTraining ? BackwardMemory(batch: batch, kept: kept, configuration, cut) : nil
  }

  /// The most rows that a worker gets at once: its even share in training, a chunk, but at least one sample.
  private static func chunkRows(_ configuration: ModelConfiguration, _ workers: Int, _ size: PassSize) -> Int {
    let tokens = configuration.tokens
    let samples = size.isTraining ? (size.batch + workers - 1) / workers : size.batch
    let most = size.isTraining ? TokenSet.rowsPerChunk : TokenSet.rowsPerFixedChunk
    return max(tokens, min(samples * tokens, most))
  }

  /// [B, C · S · S] the gradient of the loss with respect to `velocity`, written by the caller before the backward
  /// pass.
  package var velocityGradient: Matrix { backwardMemory.velocityGradient }

  /// The memory of the backward pass, which the caller knows to exist.
  var backwardMemory: BackwardMemory {
    guard let backward else { preconditionFailure("a backward pass in memory planned without one") }
    return backward
  }

  /// The projected features [rows, F] of a pass and the place of their gradients, or nil if the pass read no features.
  package func features(of pass: Pass) -> (values: Matrix, gradients: Matrix)? {
    guard pass.readsFeatures, let projector else { return nil }
    let rows = projector.rows(0..<pass.featureTokens.positions.count)
    return (rows[.features], rows[.featureGradients])
  }

  func section(_ section: Section) -> SectionMemory {
    switch section {
    case .encoder: encoder
    case .middle: middle
    case .decoder: decoder
    }
  }
}

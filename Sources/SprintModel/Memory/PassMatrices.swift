import SprintKernels

/// All matrices of forward (and backward) passes whose products read `Element`.
struct PassMatrices<Element: MatrixElement>: Sendable {
  let velocity: Matrix<Float>  // [B, C · S · S]
  let patches: Matrix<Element>  // [B N, C p²]
  let outputPatches: Matrix<Float>  // [B N, C p²]
  let outputStatistics: Matrix<Float>  // [B N, 2]
  let condition: MatrixGroup<ConditionActivation, Element>
  let conditionSums: MatrixGroup<ConditionSum, Float>
  let encoder, middle, decoder: SectionMemory<Element>
  let shallowOperand, deepOperand: Operand<Element>  // [B N, D], [B M, D] what the fusion layer reads
  let fusedDeep: Matrix<Float>  // [B M, D] the deep half of the fusion
  let fusedMask: Matrix<Float>  // [1, D] the deep half of the fusion at every dropped place
  let projector: ProjectorMemory<Element>?
  let classToken: ClassTokenMemory<Element>?
  let firstValues: Matrix<Element>?  // [B N, D] the first block's values, if blocks mix them into their own
  /// [B, layers] the cross-entropies of attention with a teacher's, summed over heads and rows.
  let attentionLosses: Matrix<Float>?
  let scratch: [WorkerScratch<Element>]
  let ofBackward: BackwardMemory<Element>?
  /// Whether the backward pass computes blocks again.
  let recomputes: Bool

  init(_ configuration: ModelConfiguration, threads: Int, _ size: PassSize, _ cut: MatrixCutter) {
    let (batch, kept) = (size.batch, size.kept ?? configuration.tokens)
    let (rows, deepRows) = (batch * configuration.tokens, batch * kept)
    recomputes = size.retention == .inputs
    velocity = cut(batch, configuration.latentElements)
    patches = cut(rows, configuration.patchElements)
    outputPatches = cut(rows, configuration.patchElements)
    outputStatistics = cut(rows, 2)
    condition = MatrixGroup(rows: batch, configuration, cut)
    conditionSums = MatrixGroup(rows: batch, configuration, cut)
    let shared: BlockMemory<Element>? =
      size.retention == .everything ? nil : BlockMemory(rows: max(rows, deepRows), configuration, cut)
    func section(_ section: Section, _ rows: Int) -> SectionMemory<Element> {
      SectionMemory(rows: rows, section, size.retention, shared: shared, configuration, cut)
    }
    (decoder, middle, encoder) = (section(.decoder, rows), section(.middle, deepRows), section(.encoder, rows))
    (shallowOperand, deepOperand) = (Operand(of: encoder.output, cut), Operand(of: middle.output, cut))
    fusedDeep = configuration.fusion == .none ? middle.output : cut(deepRows, configuration.width)
    fusedMask = cut(1, configuration.width)
    let sections = [Section.encoder: encoder, .middle: middle, .decoder: decoder]
    projector =
      size.isTraining
      ? configuration.projector.map { Self.projector($0, rows: rows, sections, configuration, cut) } : nil
    classToken = configuration.classToken.map {
      ClassTokenMemory(batch: batch, featureWidth: $0, width: configuration.width, cut)
    }
    firstValues = configuration.mixesValues ? cut(rows, configuration.width) : nil
    attentionLosses = size.isTraining ? configuration.attentionAlignment.map { cut(batch, $0.blocks.count) } : nil
    let chunk = Self.chunkRows(configuration, threads, size)
    scratch = (0..<threads).map { _ in
      WorkerScratch(rows: chunk, isTraining: size.isTraining, configuration, cut)
    }
    ofBackward = size.isTraining ? BackwardMemory(batch: batch, kept: kept, configuration, cut) : nil
  }

  private static func projector(
    _ projector: ProjectorConfiguration, rows: Int, _ sections: [Section: SectionMemory<Element>],
    _ configuration: ModelConfiguration, _ cut: MatrixCutter
  ) -> ProjectorMemory<Element> {
    let block = projector.afterBlock - 1
    guard let section = sections[configuration.section(of: block)] else { preconditionFailure("no such section") }
    return ProjectorMemory(
      reading: section.tokens[configuration.index(ofBlock: block) + 1], rows: rows,
      featureWidth: projector.featureWidth, configuration, cut)
  }

  /// The most rows that a worker gets at once: its even share in training, a chunk, but at least one sample.
  private static func chunkRows(_ configuration: ModelConfiguration, _ workers: Int, _ size: PassSize) -> Int {
    let tokens = configuration.tokens
    guard size.isTraining else { return max(tokens, min(size.batch * tokens, TokenSet.rowsPerFixedChunk)) }
    return TokenSet.mostRowsPerChunk(samples: (size.batch + workers - 1) / workers, tokens: tokens)
  }

  /// The memory of the backward pass, which the caller knows to exist.
  var backward: BackwardMemory<Element> {
    guard let ofBackward else { preconditionFailure("a backward pass in memory planned without one") }
    return ofBackward
  }

  /// The projected features [rows, F] of a pass and the place of their gradients, or nil if the pass read no features.
  func features(of pass: Pass) -> (values: Matrix<Float>, gradients: Matrix<Float>)? {
    guard pass.readsFeatures, let projector else { return nil }
    let rows = 0..<pass.featureTokens.positions.count
    return (projector.features.rows(rows), projector.featureGradients.rows(rows))
  }

  /// The mean cross-entropy of each layer of a teacher's attention over samples, heads and rows; empty if the pass
  /// compared none.
  func attentionLosses(of pass: Pass) -> [Double] {
    guard let layout = pass.attention?.layout, let attentionLosses else { return [] }
    return layout.tokens.enumerated().map { layer, tokens in
      let sum = (0..<pass.batch).reduce(0.0) { $0 + Double(attentionLosses[$1, layer]) }
      return sum / Double(pass.batch * layout.heads * tokens)
    }
  }

  func section(_ section: Section) -> SectionMemory<Element> {
    switch section {
    case .encoder: encoder
    case .middle: middle
    case .decoder: decoder
    }
  }
}

import SprintKernels

/// The memory of one section of blocks.
struct SectionMemory<Element: MatrixElement>: Sendable {
  /// What the blocks keep of the forward pass, block by block.
  let blocks: [BlockMemory<Element>]
  /// [rows, D] the tokens before the first block, between two blocks and after the last one: depth + 1 matrices.
  let tokens: [Matrix<Float>]

  /// [rows, D] the tokens that enter the section.
  var input: Matrix<Float> { tokens[0] }
  /// [rows, D] the tokens that leave the section.
  var output: Matrix<Float> { tokens[blocks.count] }

  /// - Parameter shared: the memory that all blocks use in turn unless every activation is kept
  init(
    rows: Int, _ section: Section, _ retention: Retention, shared: BlockMemory<Element>?,
    _ configuration: ModelConfiguration, _ cut: MatrixCutter
  ) {
    let depth = configuration.blocks(of: section).count
    // Without a backward pass two matrices take turns.
    let kept = retention == .nothing ? min(depth, 1) : depth
    var tokens: [Matrix<Float>] = (0...kept).map { _ in cut(rows, configuration.width) }
    while tokens.count <= depth { tokens.append(tokens[tokens.count - 2]) }
    self.tokens = tokens
    // The last block is the first one in the backward pass.
    let reversed = configuration.blocks(of: section).reversed().map { block in
      shared?.rows(0..<rows) ?? BlockMemory(rows: rows, configuration, cut, ofBlock: block)
    }
    blocks = reversed.reversed()
  }
}

import SprintKernels

/// One transformer block with adaptive modulation, on the rows of some slots:
///
///     x += gate₁ · attention(norm(x) (1 + scale₁) + shift₁)
///     x += gate₂ · mlp(norm(x) (1 + scale₂) + shift₂)
///
/// A worker takes its slots through the whole block on its own. DiT, arXiv 2212.09748, section 3.2.
struct Block<Element: MatrixElement>: Sendable {
  /// The published name, for `check`.
  let name: String
  let configuration: ModelConfiguration
  let parameters: BlockParameters<Element>
  /// [rows, D] the tokens of the slots before and after the block.
  let input, output: Matrix<Float>
  /// The rows of the slots.
  let activations: MatrixGroup<BlockActivation, Element>
  let residual: MatrixGroup<BlockResidual, Float>
  /// The tokens of the whole section.
  let tokens: TokenSet
  let slots: Range<Int>
  let modulation: Modulation<ModulationPart>
  let rotary: RotaryTable
  /// A teacher's attention, or nil if the block's is compared with none.
  let target: BlockTarget?
  /// [B N, D] the first block's values of all tokens and their gradients, if blocks mix them into their own.
  let firstValues: Matrix<Element>?
  let firstValueGradients: Matrix<Float>?
  let scratch: WorkerScratch<Element>
  let check: FiniteCheck?

  /// The rows of slot number `i` among `slots`, counted from the first row of `slots`.
  func rows(ofSlot i: Int) -> Range<Int> { i * tokens.tokens..<(i + 1) * tokens.tokens }

  /// Calls `body(rows, sample)` for every slot; rows are counted from the first row of `slots`.
  func forEachSlot(_ body: (_ rows: Range<Int>, _ sample: Int) -> Void) {
    for (i, slot) in slots.enumerated() { body(rows(ofSlot: i), tokens.samples[slot]) }
  }

  func look<Values: MatrixElement>(_ values: Matrix<Values>, _ operation: String, _ tensor: String) {
    check?.look(values, name, operation, tensor)
  }
}

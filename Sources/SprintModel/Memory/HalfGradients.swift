import SprintKernels

/// What the backward pass of half a block, attention or feed-forward layer, leaves for the products of its weight
/// gradients.
struct HalfGradients<Element: MatrixElement>: Sendable {
  /// [rows, D] the modulated norm that the half reads, computed again.
  let normalized: Matrix<Element>
  /// [rows, D] the gradient of what the half adds to the tokens, before its gate.
  let output: Matrix<Element>
  /// [rows, 3 D] the gradient of queries, keys and values, or [rows, hidden] that of the hidden layer before GELU.
  let inner: Matrix<Element>

  private init(_ normalized: Matrix<Element>, _ output: Matrix<Element>, _ inner: Matrix<Element>) {
    (self.normalized, self.output, self.inner) = (normalized, output, inner)
  }

  /// Lays the matrices out in `memory`, of `count(rows:_:inner:)` elements.
  init(_ memory: Vector<Element>, rows: Int, _ configuration: ModelConfiguration, inner: Int) {
    let width = configuration.width
    self.init(
      memory[0..<rows * width].matrix(columns: width), memory[rows * width..<2 * rows * width].matrix(columns: width),
      memory[2 * rows * width..<rows * (2 * width + inner)].matrix(columns: inner))
  }

  /// A view of rows `part`.
  func rows(_ part: Range<Int>) -> HalfGradients {
    HalfGradients(normalized.rows(part), output.rows(part), inner.rows(part))
  }
}

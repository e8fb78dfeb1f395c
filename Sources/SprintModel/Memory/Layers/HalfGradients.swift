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

  /// Cuts the matrices; `inner` is the number of columns of the last one.
  init(rows: Int, width: Int, inner: Int, _ cut: MatrixCutter) {
    self.init(cut(rows, width), cut(rows, width), cut(rows, inner))
  }

  /// The same memory for a half with another, not larger, number of inner columns.
  func reused(inner columns: Int) -> HalfGradients {
    precondition(columns <= inner.columns, "\(columns) columns in the memory of \(inner.columns)")
    return HalfGradients(normalized, output, Matrix(inner.base, rows: inner.rows, columns: columns))
  }

  /// A view of rows `part`.
  func rows(_ part: Range<Int>) -> HalfGradients {
    HalfGradients(normalized.rows(part), output.rows(part), inner.rows(part))
  }
}

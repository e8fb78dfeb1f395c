import SprintKernels

/// Float32 sums as the products behind them read them: a rounded copy, or, where products read float32, the sums
/// themselves.
struct Operand<Element: MatrixElement>: Sendable {
  private let source: Matrix<Float>
  private let values: Matrix<Element>

  init(of source: Matrix<Float>, _ cut: MatrixCutter) {
    self.init(of: source, in: source as? Matrix<Element> ?? cut(source.rows, source.columns))
  }

  /// - Parameter memory: for the copy
  init(of source: Matrix<Float>, in memory: Matrix<Element>) {
    self.source = source
    values = source as? Matrix<Element> ?? memory.rows(0..<source.rows)
  }

  /// Rows as they were when they were last brought up to date.
  func rows(_ rows: Range<Int>) -> Matrix<Element> { values.rows(rows) }

  /// Brings rows up to date and returns them.
  func updated(_ rows: Range<Int>, columns: Range<Int>? = nil) -> Matrix<Element> {
    let columns = columns ?? 0..<source.columns
    let current = values.rows(rows).columns(columns)
    if Element.self != Float.self { current.copy(from: source.rows(rows).columns(columns)) }
    return current
  }
}

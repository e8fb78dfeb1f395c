/// Matrices of one shape at equal distances in memory, such as the heads of a token matrix or their scores.
package struct MatrixStack<Element: MatrixElement>: Sendable {
  /// The first matrix.
  package let first: Matrix<Element>
  /// Number of matrices.
  package let count: Int
  /// Distance between the first elements of neighbouring matrices.
  package let distance: Int

  /// A stack of one matrix.
  @inline(__always)
  package init(_ matrix: Matrix<Element>) { (first, count, distance) = (matrix, 1, 0) }

  /// - Parameter distance: elements from one matrix to the next
  package init(_ first: Matrix<Element>, count: Int, distance: Int) {
    precondition(count > 0, "a stack of \(count) matrices")
    (self.first, self.count, self.distance) = (first, count, distance)
  }

  /// The heads of tokens: `columns` of a matrix cut into stretches of `width`.
  package init(heads matrix: Matrix<Element>, columns: Range<Int>, width: Int) {
    self.init(
      matrix.columns(columns.lowerBound..<columns.lowerBound + width), count: columns.count / width, distance: width)
  }

  /// Matrix `index`.
  package subscript(index: Int) -> Matrix<Element> {
    precondition(index >= 0 && index < count, "matrix \(index) of \(count)")
    return Matrix(first.base + index * distance, rows: first.rows, columns: first.columns, stride: first.stride)
  }
}

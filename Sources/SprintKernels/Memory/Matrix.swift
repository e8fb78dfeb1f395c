/// A view of numbers in an arena: `rows` rows of `columns` elements, `stride` elements apart. Copying a view copies no
/// data.
///
/// A view owns nothing, so its arena has to outlive it. Views are `Sendable` because workers that share one write
/// different rows or columns of it; callers see to that.
package struct Matrix<Element: MatrixElement>: @unchecked Sendable {
  /// The first element.
  package let base: UnsafeMutablePointer<Element>
  /// Number of rows.
  package let rows: Int
  /// Number of elements in a row.
  package let columns: Int
  /// Distance between the first elements of neighbouring rows.
  package let stride: Int

  /// Makes a view of the memory at `base`; rows are contiguous unless `stride` is given.
  @inlinable
  package init(_ base: UnsafeMutablePointer<Element>, rows: Int, columns: Int, stride: Int? = nil) {
    precondition(
      rows >= 0 && columns >= 0 && (stride ?? columns) >= columns, "a matrix view needs room for its columns")
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// The address of row `r`.
  @inlinable
  package func row(_ r: Int) -> UnsafeMutablePointer<Element> { base + r &* stride }

  /// The element in row `r` and column `c`.
  @inlinable
  package subscript(r: Int, c: Int) -> Element {
    get { base[r &* stride &+ c] }
    nonmutating set { base[r &* stride &+ c] = newValue }
  }

  /// A view of rows `range`.
  @inlinable
  package func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Matrix(row(range.lowerBound), rows: range.count, columns: columns, stride: stride)
  }

  /// A view of columns `range`.
  @inlinable
  package func columns(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Matrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  /// A view of row `r`.
  @inlinable
  package func vector(_ r: Int) -> Vector<Element> {
    precondition(r >= 0 && r < rows, "row \(r) of \(rows)")
    return Vector(row(r), count: columns)
  }

  /// All elements as one vector; the rows must be contiguous.
  @inlinable
  package var flattened: Vector<Element> {
    precondition(stride == columns || rows <= 1, "only contiguous rows can be flattened")
    return Vector(base, count: rows * columns)
  }

  /// Sets every element to zero.
  package func clear() {
    for r in 0..<rows { row(r).update(repeating: Element(0), count: columns) }
  }

  /// Copies the elements of `other`, which has the same shape, and rounds them if they are of a finer format.
  @_specialize(where Element == Float, Other == Float)
  @_specialize(where Element == BFloat16, Other == BFloat16)
  @_specialize(where Element == BFloat16, Other == Float)
  @_specialize(where Element == Float, Other == BFloat16)
  package func copy<Other: MatrixElement>(from other: Matrix<Other>) {
    precondition(rows == other.rows && columns == other.columns, "copying needs equal shapes")
    if let same = other as? Matrix<Element> {
      for r in 0..<rows { row(r).update(from: same.row(r), count: columns) }
    } else {
      for r in 0..<rows { vector(r).copy(from: other.vector(r)) }
    }
  }
}

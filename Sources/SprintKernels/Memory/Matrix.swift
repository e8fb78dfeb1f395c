/// A view of floats in an arena: `rows` rows of `columns` elements, `stride` elements apart. Copying it copies no data.
///
/// Views carry no ownership: the arena they look into has to outlive them. They are `Sendable` because the workers that
/// share them write disjoint rows or columns, which every caller arranges.
package struct Matrix: @unchecked Sendable {
  /// The first element.
  package let base: UnsafeMutablePointer<Float>
  /// Number of rows.
  package let rows: Int
  /// Number of elements in a row.
  package let columns: Int
  /// Distance between the first elements of neighbouring rows.
  package let stride: Int

  /// A view of memory at `base`; rows lie one after another unless `stride` says otherwise.
  @inlinable
  package init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    precondition(
      rows >= 0 && columns >= 0 && (stride ?? columns) >= columns, "a matrix view needs room for its columns")
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// The address of the first element of row `r`.
  @inlinable
  package func row(_ r: Int) -> UnsafeMutablePointer<Float> { base + r &* stride }

  /// The element in row `r` and column `c`.
  @inlinable
  package subscript(r: Int, c: Int) -> Float {
    get { base[r &* stride &+ c] }
    nonmutating set { base[r &* stride &+ c] = newValue }
  }

  /// The rows of `range`, all columns.
  @inlinable
  package func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Matrix(row(range.lowerBound), rows: range.count, columns: columns, stride: stride)
  }

  /// The columns of `range`, all rows.
  @inlinable
  package func columns(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Matrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  /// Row `r` as a vector.
  @inlinable
  package func vector(_ r: Int) -> Vector {
    precondition(r >= 0 && r < rows, "row \(r) of \(rows)")
    return Vector(row(r), count: columns)
  }

  /// The same elements as one vector; rows must lie one after another.
  @inlinable
  package var flattened: Vector {
    precondition(stride == columns || rows <= 1, "only contiguous rows can be flattened")
    return Vector(base, count: rows * columns)
  }

  /// Sets every element to zero.
  package func clear() {
    for r in 0..<rows { row(r).update(repeating: 0, count: columns) }
  }

  /// Copies the elements of `other`, which has the same shape.
  package func copy(from other: Matrix) {
    precondition(rows == other.rows && columns == other.columns, "copying needs equal shapes")
    for r in 0..<rows { row(r).update(from: other.row(r), count: columns) }
  }
}

/// A view of contiguous floats in an arena. Copying it copies no data; the rules of `Matrix` hold.
package struct Vector: @unchecked Sendable {
  /// The first element.
  package let base: UnsafeMutablePointer<Float>
  /// Number of elements.
  package let count: Int

  /// A view of `count` floats at `base`.
  @inlinable
  package init(_ base: UnsafeMutablePointer<Float>, count: Int) {
    precondition(count >= 0, "a vector view needs a count")
    self.base = base
    self.count = count
  }

  /// Element `i`.
  @inlinable
  package subscript(i: Int) -> Float {
    get { base[i] }
    nonmutating set { base[i] = newValue }
  }

  /// The elements of `range`.
  @inlinable
  package subscript(range: Range<Int>) -> Vector {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
    return Vector(base + range.lowerBound, count: range.count)
  }

  /// The same elements as a matrix with `columns` columns.
  @inlinable
  package func matrix(columns: Int) -> Matrix {
    precondition(columns > 0 && count % columns == 0, "\(count) elements are no rows of \(columns)")
    return Matrix(base, rows: count / columns, columns: columns)
  }

  /// Sets every element to zero.
  package func clear() { base.update(repeating: 0, count: count) }

  /// Copies the elements of `other`, which has the same count.
  package func copy(from other: Vector) {
    precondition(count == other.count, "copying needs equal counts")
    base.update(from: other.base, count: count)
  }

  /// The elements as a buffer, for what is filled or read as a whole.
  package var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: base, count: count) }

  /// The elements as an array, for tests and small outputs.
  package var array: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

/// A view of contiguous floats in an arena. As with `Matrix`, copying a view copies no data, and the arena has to
/// outlive it.
package struct Vector: @unchecked Sendable {
  /// The first element.
  package let base: UnsafeMutablePointer<Float>
  /// Number of elements.
  package let count: Int

  /// Makes a view of `count` floats at `base`.
  @inlinable
  package init(_ base: UnsafeMutablePointer<Float>, count: Int) {
    precondition(count >= 0, "a vector of \(count) elements")
    self.base = base
    self.count = count
  }

  /// Element `i`.
  @inlinable
  package subscript(i: Int) -> Float {
    get { base[i] }
    nonmutating set { base[i] = newValue }
  }

  /// A view of elements `range`.
  @inlinable
  package subscript(range: Range<Int>) -> Vector {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
    return Vector(base + range.lowerBound, count: range.count)
  }

  /// All elements as rows of `columns` each.
  @inlinable
  package func matrix(columns: Int) -> Matrix {
    precondition(columns > 0 && count % columns == 0, "\(count) elements do not make rows of \(columns)")
    return Matrix(base, rows: count / columns, columns: columns)
  }

  /// Sets every element to zero.
  package func clear() { base.update(repeating: 0, count: count) }

  /// Copies the elements of `other`, which has the same count.
  package func copy(from other: Vector) {
    precondition(count == other.count, "copying needs equal counts")
    base.update(from: other.base, count: count)
  }

  /// The elements as a buffer, for code that fills or reads all of them.
  package var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: base, count: count) }

  /// A copy of the elements, for tests and small outputs.
  package var array: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

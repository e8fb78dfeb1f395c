/// A view of contiguous numbers in an arena. As with `Matrix`, copying a view copies no data, and the arena has to
/// outlive it.
package struct Vector<Element: MatrixElement>: @unchecked Sendable {
  /// The first element.
  package let base: UnsafeMutablePointer<Element>
  /// Number of elements.
  package let count: Int

  /// Makes a view of `count` elements at `base`.
  @inlinable
  package init(_ base: UnsafeMutablePointer<Element>, count: Int) {
    precondition(count >= 0, "a vector of \(count) elements")
    self.base = base
    self.count = count
  }

  /// Element `i`.
  @inlinable
  package subscript(i: Int) -> Element {
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
  package func matrix(columns: Int) -> Matrix<Element> {
    precondition(columns > 0 && count % columns == 0, "\(count) elements do not make rows of \(columns)")
    return Matrix(base, rows: count / columns, columns: columns)
  }

  /// Sets every element to zero.
  package func clear() { base.update(repeating: Element(0), count: count) }

  /// Copies the elements of `other`, which has the same count, and rounds them if they are of a finer format.
  @_specialize(where Element == Float, Other == Float)
  @_specialize(where Element == BFloat16, Other == BFloat16)
  @_specialize(where Element == BFloat16, Other == Float)
  @_specialize(where Element == Float, Other == BFloat16)
  package func copy<Other: MatrixElement>(from other: Vector<Other>) {
    precondition(count == other.count, "copying needs equal counts")
    if let same = other as? Vector<Element> { return base.update(from: same.base, count: count) }
    for (i, lanes) in Vectors(count) { base.store(other.base.load(i, lanes), i, lanes) }
  }

  /// Adds the elements of `other`, which has the same count.
  @_specialize(where Element == Float, Other == Float)
  @_specialize(where Element == Float, Other == BFloat16)
  package func add<Other: MatrixElement>(_ other: Vector<Other>) {
    precondition(count == other.count, "adding needs equal counts")
    for (i, lanes) in Vectors(count) { base.store(base.load(i, lanes) + other.base.load(i, lanes), i, lanes) }
  }

  /// The same memory as numbers of another format, as many as fit.
  package func viewed<Other: MatrixElement>(as _: Other.Type) -> Vector<Other> {
    let capacity = count * MemoryLayout<Element>.stride / MemoryLayout<Other>.stride
    return Vector<Other>(UnsafeMutableRawPointer(base).assumingMemoryBound(to: Other.self), count: capacity)
  }

  /// The elements as bytes.
  package var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(buffer) }

  /// The elements as a buffer, for code that fills or reads all of them.
  package var buffer: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: count) }

  /// A copy of the elements, for tests and small outputs.
  package var array: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

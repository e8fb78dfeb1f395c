// oneDNN has fast kernels for dense matrices alone. The strided operands of a product are copied to dense memory before
// it, and a strided result from there.

extension MatrixStack {
  /// Whether all elements follow one another.
  var isDense: Bool {
    (first.stride == first.columns || first.rows == 1) && (count == 1 || distance == first.rows * first.columns)
  }

  /// Bytes of a dense stack of this shape, in whole cache lines; none if this one is dense.
  var bytesToPack: Int {
    isDense ? 0 : (count * first.rows * first.columns * MemoryLayout<Element>.stride + 63) / 64 * 64
  }

  /// A dense stack of this shape at `memory`, which is moved behind it.
  func dense(at memory: inout UnsafeMutableRawPointer) -> MatrixStack {
    defer { memory += bytesToPack }
    let start = memory.bindMemory(to: Element.self, capacity: count * first.rows * first.columns)
    return MatrixStack(
      Matrix(start, rows: first.rows, columns: first.columns), count: count, distance: first.rows * first.columns)
  }

  /// Copies the elements of another stack of the same shape.
  func copy(from other: MatrixStack) {
    for i in 0..<count { self[i].copy(from: other[i]) }
  }

  /// Adds the elements of another stack of the same shape.
  func add(_ other: MatrixStack) {
    for i in 0..<count {
      for r in 0..<first.rows { self[i].vector(r).add(other[i].vector(r)) }
    }
  }
}

extension MatrixProduct {
  /// Bytes that `overDense` needs.
  var bytesToPack: Int { a.bytesToPack + b.bytesToPack + c.bytesToPack }

  /// Computes this product by one of dense stacks.
  ///
  /// - Parameter memory: `bytesToPack` bytes
  func overDense(_ memory: UnsafeMutableRawPointer, _ compute: (MatrixProduct) -> Void) {
    var memory = memory
    func packed(_ stack: MatrixStack<Element>) -> MatrixStack<Element> {
      guard !stack.isDense else { return stack }
      let dense = stack.dense(at: &memory)
      dense.copy(from: stack)
      return dense
    }
    let (a, b) = (packed(a), packed(b))
    let dense = c.isDense ? c : c.dense(at: &memory)
    compute(
      MatrixProduct(
        a, b, dense, transposeA: transposeA, transposeB: transposeB, factor: factor, adds: adds && c.isDense, bias: bias
      ))
    guard !c.isDense else { return }
    if adds { c.add(dense) } else { c.copy(from: dense) }
  }
}

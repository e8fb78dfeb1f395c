/// Everything about a product but the addresses of its matrices.
struct ProductShape: Hashable {
  /// A stack of matrices as a product reads or writes it.
  struct Operand: Hashable {
    let precision: Precision
    /// Rows and columns, after transposition.
    let rows, columns: Int
    /// Elements from one matrix, row or column to the next.
    let distance, rowStride, columnStride: Int

    init<Element: MatrixElement>(_ stack: MatrixStack<Element>, transposed: Bool) {
      let matrix = stack.first
      precision = Element.precision
      distance = stack.count > 1 ? stack.distance : matrix.rows * matrix.stride
      (rows, columns) = transposed ? (matrix.columns, matrix.rows) : (matrix.rows, matrix.columns)
      (rowStride, columnStride) = transposed ? (1, matrix.stride) : (matrix.stride, 1)
    }
  }

  let count: Int
  let a, b, c: Operand
  let factor: Float
  let adds, hasBias: Bool

  init<Element, Result>(_ product: MatrixProduct<Element, Result>) {
    count = product.c.count
    a = Operand(product.a, transposed: product.transposeA)
    b = Operand(product.b, transposed: product.transposeB)
    c = Operand(product.c, transposed: false)
    (factor, adds, hasBias) = (product.factor, product.adds, product.bias != nil)
  }
}

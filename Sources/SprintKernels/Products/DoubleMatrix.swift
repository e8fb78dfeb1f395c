import COpenBLAS

/// A matrix of float64 with memory of its own, row by row, for statistics in which float32 loses too much.
package struct DoubleMatrix: Sendable, Equatable {
  /// The extents.
  package let rows, columns: Int
  /// The elements, row by row.
  package var values: [Double]

  /// A matrix of zeros.
  package init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, [Double](repeating: 0, count: rows * columns))
  }

  /// A matrix of given elements, row by row.
  package init(rows: Int, columns: Int, _ values: [Double]) {
    precondition(values.count == rows * columns, "\(values.count) elements for \(rows) x \(columns)")
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// The element in row `r` and column `c`.
  package subscript(r: Int, c: Int) -> Double { values[r * columns + c] }

  /// The sum of the diagonal of a square matrix.
  package var trace: Double {
    precondition(rows == columns, "only a square matrix has a trace")
    return (0..<rows).reduce(0) { $0 + self[$1, $1] }
  }

  /// Adds xᵀ x to the upper triangle of a square matrix; the lower one stays as it is.
  ///
  /// - Parameter x: [n, columns]
  package mutating func addSquareToUpperTriangle(of x: DoubleMatrix) {
    precondition(rows == columns && x.columns == columns, "\(x.columns) columns for \(rows) x \(columns)")
    values.withUnsafeMutableBufferPointer {
      cblas_dsyrk(
        CblasRowMajor, CblasUpper, CblasTrans, numericCast(columns), numericCast(x.rows), 1, x.values,
        numericCast(columns), 1, $0.baseAddress, numericCast(columns))
    }
  }

  /// The symmetric matrix whose upper triangle this one has, times a factor.
  package func symmetric(times factor: Double) -> DoubleMatrix {
    precondition(rows == columns, "only a square matrix is symmetric")
    var result = DoubleMatrix(rows: rows, columns: columns)
    for r in 0..<rows {
      for c in r..<columns {
        let value = factor * values[r * columns + c]
        result.values[r * columns + c] = value
        result.values[c * columns + r] = value
      }
    }
    return result
  }

  /// Returns a bᵀ.
  ///
  /// - Parameters:
  ///   - b: [m, columns]
  ///   - threads: how many threads multiply; nobody else may multiply meanwhile, unless it is one
  package func timesTransposed(_ b: DoubleMatrix, threads: Int = 1) -> DoubleMatrix {
    var product = DoubleMatrix(rows: rows, columns: b.rows)
    guard rows > 0, b.rows > 0, columns > 0 else { return product }
    BLAS.withThreads(threads) {
      product.values.withUnsafeMutableBufferPointer { target in
        values.withUnsafeBufferPointer { a in
          b.values.withUnsafeBufferPointer { Self.multiply(a, $0, into: target, (rows, b.rows, columns)) }
        }
      }
    }
    return product
  }

  /// Sets c = a bᵀ for matrices in contiguous memory: a [m, k], b [n, k], c [m, n].
  package static func multiply(
    _ a: UnsafeBufferPointer<Double>, _ b: UnsafeBufferPointer<Double>, into c: UnsafeMutableBufferPointer<Double>,
    _ extents: (m: Int, n: Int, k: Int)
  ) {
    let (m, n, k) = extents
    precondition(a.count >= m * k && b.count >= n * k && c.count >= m * n, "too little memory for \(extents)")
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, numericCast(m), numericCast(n), numericCast(k), 1, a.baseAddress,
      numericCast(k), b.baseAddress, numericCast(k), 0, c.baseAddress, numericCast(n))
  }
}

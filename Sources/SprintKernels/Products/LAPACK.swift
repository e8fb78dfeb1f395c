import COpenBLAS

/// Decompositions of float64 matrices, by the LAPACK inside OpenBLAS.
package enum LAPACK {
  /// A decomposition that LAPACK gave up: the matrix is not finite, or too large for float64.
  package struct Failure: Error, CustomStringConvertible {
    let routine: String
    let code: Int
    /// One line: what failed.
    package var description: String { "LAPACK's \(routine) fails with code \(code): the matrix is not finite" }
  }

  /// Returns eigenvalues λ in ascending order, and vectors v in the rows of a matrix: s = Σ λ_i v_i v_iᵀ.
  ///
  /// - Parameters:
  ///   - s: a symmetric matrix
  ///   - threads: how many threads compute; nobody else may multiply meanwhile, unless it is one
  package static func eigen(
    _ s: DoubleMatrix, threads: Int = 1
  ) throws -> (values: [Double], vectors: DoubleMatrix) {
    precondition(s.rows == s.columns, "only a square matrix has eigenvalues")
    // Columns of Fortran are our rows.
    var (vectors, values) = (s, [Double](repeating: 0, count: s.rows))
    var order = blasint(s.rows)
    try run("dsyevd", threads) { work, count, integers, integerCount, info in
      vectors.values.withUnsafeMutableBufferPointer {
        dsyevd_("V", "L", &order, $0.baseAddress, &order, &values, work, &count, integers, &integerCount, &info, 1, 1)
      }
    }
    return (values, vectors)
  }

  /// Returns the singular values of a matrix in descending order.
  ///
  /// - Parameter threads: how many threads compute; nobody else may multiply meanwhile, unless it is one
  package static func singularValues(_ matrix: DoubleMatrix, threads: Int = 1) throws -> [Double] {
    var values = [Double](repeating: 0, count: min(matrix.rows, matrix.columns))
    guard !values.isEmpty else { return [] }
    var copy = matrix
    // Column by column, the memory holds the transposed matrix, whose singular values are the same.
    var (m, n, one) = (blasint(matrix.columns), blasint(matrix.rows), blasint(1))
    try run("dgesdd", threads, integers: 8 * values.count) { work, count, integers, _, info in
      copy.values.withUnsafeMutableBufferPointer {
        dgesdd_(
          "N", &m, &n, $0.baseAddress, &m, &values, nil, &one, nil, &one, work, &count, integers, &info, 1)
      }
    }
    return values
  }

  private typealias Routine = (
    _ work: UnsafeMutablePointer<Double>, _ count: inout blasint, _ integers: UnsafeMutablePointer<blasint>,
    _ integerCount: inout blasint, _ info: inout blasint
  ) -> Void

  /// Calls a routine twice: first it says how much memory it works in, then it gets that.
  ///
  /// - Parameter integers: how many whole numbers it works in, where it does not say so itself
  private static func run(_ name: String, _ threads: Int, integers: Int = 1, _ routine: Routine) throws {
    var (count, integerCount, info) = (blasint(-1), blasint(-1), blasint(0))
    var work = [0.0]
    var whole = [blasint](repeating: 0, count: integers)
    routine(&work, &count, &whole, &integerCount, &info)
    guard info == 0 else { throw Failure(routine: name, code: Int(info)) }
    (count, integerCount) = (blasint(work[0]), max(blasint(integers), whole[0]))
    work = [Double](repeating: 0, count: Int(count))
    whole = [blasint](repeating: 0, count: Int(integerCount))
    BLAS.withThreads(threads) { routine(&work, &count, &whole, &integerCount, &info) }
    guard info == 0 else { throw Failure(routine: name, code: Int(info)) }
  }
}

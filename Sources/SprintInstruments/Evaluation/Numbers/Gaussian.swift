import SprintKernels

/// A normal distribution: what the Fréchet distance takes a set of images for.
package struct Gaussian: Sendable {
  /// [F]
  package let mean: [Double]
  /// [F, F]
  package let covariance: DoubleMatrix
  /// The number of images that it describes; nil where nobody says.
  package let count: Int?

  /// - Parameters:
  ///   - mean: [F]
  ///   - covariance: [F, F], symmetric
  ///   - count: the number of images
  package init(mean: [Double], covariance: DoubleMatrix, count: Int?) {
    precondition(covariance.rows == mean.count && covariance.columns == mean.count, "a covariance of another size")
    (self.mean, self.covariance, self.count) = (mean, covariance, count)
  }

  /// Returns the squared Fréchet distance |μa - μb|² + Tr Sa + Tr Sb - 2 Tr √(Sa Sb), which FID and FDD are.
  /// M. Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, 2017.
  ///
  /// With S = Rᵀ R, the eigenvalues of Sa Sb are the squares of the singular values of Ra Rbᵀ, whose sum is the
  /// trace.
  /// Their rounding is that of the covariances; the root of an eigenvalue that rounding has moved from 0 would be
  /// thousands of times larger, and such roots add up where there are fewer images than features.
  ///
  /// - Parameter threads: how many threads compute; nobody else may multiply meanwhile, unless it is one
  package func frechetDistance(to other: Gaussian, threads: Int = 1) throws -> Double {
    precondition(mean.count == other.mean.count, "\(mean.count) features against \(other.mean.count)")
    let product = try root(threads).timesTransposed(try other.root(threads), threads: threads)
    let cross = try LAPACK.singularValues(product, threads: threads).reduce(0, +)
    let apart = zip(mean, other.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return max(0, apart + covariance.trace + other.covariance.trace - 2 * cross)
  }

  /// R [rank, F] with Rᵀ R = covariance: the eigenvectors times the roots of their eigenvalues. It leaves out
  /// eigenvalues that are 0 but for rounding: below F · ε of the largest one, and all but the largest n - 1.
  private func root(_ threads: Int) throws -> DoubleMatrix {
    let (values, vectors) = try LAPACK.eigen(covariance, threads: threads)
    let features = mean.count
    let least = Double(features) * .ulpOfOne * (values.last ?? 0)
    let most = count.map { max(0, $0 - 1) } ?? features
    let kept = values.indices.suffix(most).filter { values[$0] > max(0, least) }
    let rows = kept.flatMap { i in
      let factor = values[i].squareRoot()
      return vectors.values[i * features..<(i + 1) * features].map { $0 * factor }
    }
    return DoubleMatrix(rows: kept.count, columns: features, rows)
  }
}

import SprintKernels

/// Mean and covariance of features in float64, of images that arrive batch by batch.
///
/// Each batch is centred about its own mean before its squares are added, so nothing cancels: T. Chan, G. Golub and
/// R. LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
package struct FeatureMoments: Sendable {
  /// The number of images.
  package private(set) var count = 0
  private var mean: [Double]
  /// Σ (x - mean) (x - mean)ᵀ, in the upper triangle.
  private var scatter: DoubleMatrix

  /// No image yet.
  package init(features: Int) {
    mean = [Double](repeating: 0, count: features)
    scatter = DoubleMatrix(rows: features, columns: features)
  }

  /// Adds the features of a batch: [n, F].
  package mutating func add(_ rows: [[Float]]) {
    guard !rows.isEmpty else { return }
    let (own, total) = (Double(rows.count), Double(count + rows.count))
    let batchMean = mean.indices.map { f in rows.reduce(0) { $0 + Double($1[f]) } / own }
    let step = zip(batchMean, mean).map { $0 - $1 }
    // The distance between both means counts like one more row.
    let weight = (Double(count) * own / total).squareRoot()
    let centred = rows.flatMap { row in zip(row, batchMean).map { Double($0) - $1 } } + step.map { weight * $0 }
    scatter.addSquareToUpperTriangle(of: DoubleMatrix(rows: rows.count + 1, columns: mean.count, centred))
    for f in mean.indices { mean[f] += step[f] * own / total }
    count += rows.count
  }

  /// Mean and unbiased covariance, as `numpy.cov` computes it, of at least two images.
  package var gaussian: Gaussian {
    precondition(count > 1, "a covariance takes two images")
    return Gaussian(mean: mean, covariance: scatter.symmetric(times: 1 / Double(count - 1)), count: count)
  }
}

/// What every rank tells rank zero in each step, once its gradients are reduced.
package struct RankReport: Equatable {
  /// Sums over the rank's samples of their shares in the global batch's losses.
  package var loss = 0.0, alignment = 0.0, attention = 0.0, classToken = 0.0, contrast = 0.0
  /// Σ g² of the shards that the rank updates.
  package var squaredNorm = 0.0
  /// Seconds until the gradients were computed, and the part of them spent waiting for data.
  package var seconds = 0.0, dataSeconds = 0.0
  /// A signal asked this rank to stop.
  package var stopRequested = false
  /// A check found a number that is not finite.
  package var hasNonFinite = false
  /// The rank could not read its part of the batch and computed no gradients.
  package var dataFailed = false

  /// A report of a step that did nothing.
  package init() {}

  /// The report as numbers, as it travels to rank zero.
  package var numbers: [Double] {
    [
      loss, alignment, attention, squaredNorm, seconds, dataSeconds, stopRequested ? 1 : 0, hasNonFinite ? 1 : 0,
      dataFailed ? 1 : 0, classToken, contrast,
    ]
  }

  /// Reads a report from its `numbers`.
  package init(_ numbers: [Double]) {
    (loss, alignment, attention) = (numbers[0], numbers[1], numbers[2])
    (squaredNorm, seconds, dataSeconds) = (numbers[3], numbers[4], numbers[5])
    (stopRequested, hasNonFinite, dataFailed) = (numbers[6] != 0, numbers[7] != 0, numbers[8] != 0)
    (classToken, contrast) = (numbers[9], numbers[10])
  }
}

import SprintDiffusion

/// What every rank tells rank zero in each step, once its gradients are reduced.
package struct RankReport: Equatable {
  /// Sums over the rank's samples of their shares in the global batch's losses.
  package var losses = Losses(denoising: 0)
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
    losses.numbers + [
      squaredNorm, seconds, dataSeconds, stopRequested ? 1 : 0, hasNonFinite ? 1 : 0, dataFailed ? 1 : 0,
    ]
  }

  /// Reads a report from its `numbers`.
  package init(_ numbers: [Double]) {
    losses = Losses(numbers: numbers.prefix(Losses.count))
    let rest = Array(numbers.dropFirst(Losses.count))
    (squaredNorm, seconds, dataSeconds) = (rest[0], rest[1], rest[2])
    (stopRequested, hasNonFinite, dataFailed) = (rest[3] != 0, rest[4] != 0, rest[5] != 0)
  }
}

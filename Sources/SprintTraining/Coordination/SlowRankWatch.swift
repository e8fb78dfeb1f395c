import Foundation

/// A rank that falls behind the others.
package struct SlowRank: Equatable, CustomStringConvertible {
  /// Which rank it is.
  package let rank: Int
  /// Its seconds in the last step, and the median of all ranks.
  package let seconds, median: Double

  /// One line for the user.
  package var description: String {
    String(format: "rank %d is slow: %.2f s a step, the median of ranks is %.2f s", rank, seconds, median)
  }
}

/// Notices a rank that needs more than one and a half times the median in ten consecutive steps; it warns then, and
/// again after every hundred further steps.
struct SlowRankWatch {
  private var slowSteps = 0

  /// Takes the ranks' seconds of one step and returns the rank to warn about, if any.
  mutating func look(at seconds: [Double]) -> SlowRank? {
    let median = seconds.sorted()[(seconds.count - 1) / 2]
    guard let slowest = seconds.indices.max(by: { seconds[$0] < seconds[$1] }), seconds[slowest] > 1.5 * median,
      seconds.count > 1
    else {
      slowSteps = 0
      return nil
    }
    slowSteps += 1
    return slowSteps % 100 == 10 ? SlowRank(rank: slowest, seconds: seconds[slowest], median: median) : nil
  }
}

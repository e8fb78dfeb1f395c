/// A curve in memory that does not grow with it: lowest, highest and mean value of equal stretches of steps. Up to
/// `places` steps, each has its own stretch.
struct ThinnedCurve {
  /// Some values next to each other.
  struct Stretch {
    var low = Double.infinity, high = -Double.infinity, sum = 0.0, steps = 0.0, count = 0.0
    var mean: Double { sum / count }
    /// The mean of the steps.
    var step: Double { steps / count }

    mutating func add(_ other: Stretch) {
      (low, high) = (min(low, other.low), max(high, other.high))
      (sum, steps, count) = (sum + other.sum, steps + other.steps, count + other.count)
    }
  }

  private static let places = 4096
  private var all: [Stretch] = []
  private var width = 1
  /// Values spread evenly over the curve.
  private(set) var sample = ThinnedSample<Double>()

  /// The stretches that have values, in order.
  var stretches: [Stretch] { all.filter { $0.count > 0 } }

  /// Adds the value of a step; one that is not finite has no place on a curve.
  mutating func add(_ value: Double, step: Int) {
    guard value.isFinite, step >= 0 else { return }
    sample.add(value)
    while step / width >= Self.places { halve() }
    let place = step / width
    if place >= all.count { all += Array(repeating: Stretch(), count: place + 1 - all.count) }
    all[place].add(Stretch(low: value, high: value, sum: value, steps: Double(step), count: 1))
  }

  private mutating func halve() {
    width *= 2
    all = stride(from: 0, to: all.count, by: 2).map { place in
      var stretch = all[place]
      if place + 1 < all.count { stretch.add(all[place + 1]) }
      return stretch
    }
  }
}

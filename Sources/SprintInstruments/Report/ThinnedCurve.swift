/// A curve in memory that does not grow with it: one column for each of equal stretches of steps. Up to `places` steps,
/// each has its own column.
struct ThinnedCurve {
  private static let places = 2048
  private var all: [ChartColumn?] = []
  private var width = 1

  /// The columns in order.
  var columns: [ChartColumn] { all.compactMap(\.self) }

  /// Adds the value of a step; one that is not finite has no place on a curve.
  mutating func add(_ value: Double, step: Int) {
    guard value.isFinite, step >= 0 else { return }
    while step / width >= Self.places { halve() }
    let place = step / width
    if place >= all.count { all += Array(repeating: nil, count: place + 1 - all.count) }
    all[place] = Self.joined(all[place], ChartColumn(value, at: Double(step)))
  }

  private mutating func halve() {
    width *= 2
    all = stride(from: 0, to: all.count, by: 2).map { place in
      Self.joined(all[place], place + 1 < all.count ? all[place + 1] : nil)
    }
  }

  private static func joined(_ first: ChartColumn?, _ second: ChartColumn?) -> ChartColumn? {
    guard var column = first, let second else { return first ?? second }
    column.add(second)
    return column
  }
}

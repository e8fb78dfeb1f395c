import SprintKernels

/// A stage of a run in numbers.
struct StageHistory {
  let name: String
  /// The step that the stage begins with.
  let firstStep: Int
  /// The number of its steps in the log.
  private(set) var steps = 0
  /// The seconds of all steps, and the images that they saw.
  private(set) var seconds = 0.0, images = 0.0
  private var samples: [String: ThinnedSample<Double>] = [:]
  private static let sampled = ["seconds", "images_per_second", "peak_share"]

  init(name: String, firstStep: Int) { (self.name, self.firstStep) = (name, firstStep) }

  /// Counts one step.
  mutating func add(_ value: (_ name: String) -> Double) {
    steps += 1
    for name in Self.sampled {
      let number = value(name)
      if number.isFinite { samples[name, default: ThinnedSample()].add(number) }
    }
    let duration = value("seconds")
    guard duration.isFinite else { return }
    seconds += duration
    let rate = value("images_per_second")
    if rate.isFinite { images += duration * rate }
  }

  /// The median of a number.
  func median(_ name: String) -> Double { SprintKernels.median(samples[name]?.elements ?? []) }
}

import Foundation
import SprintFormats
import SprintTraining

/// The losses of a run against the work and the time that they took.
struct RunProgress: Encodable {
  /// A loss, and all that was done until then.
  struct Point: Encodable {
    var step = 0.0, images = 0.0
    /// FLOP of the published algorithm.
    var flop = 0.0
    /// Hours in steps.
    var hours = 0.0
    var loss = 0.0
  }

  /// The name of the run's folder.
  let name: String
  /// Means over stretches of steps.
  let training: [Point]
  /// Losses of the moving average on held-out data.
  let validation: [Point]

  /// The stretches of a whole run.
  private static let stretches = 300

  /// Reads the log of a run in memory that does not grow with it.
  init(run path: String) throws {
    let folder = RunFolder(path: path)
    name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent.spelledOut
    let configuration = try Configuration(ConfigurationDocument(path: folder.configuration))
    let works = configuration.stages.map { ($0.name, configuration.trainingWork(of: $0)) }
    let work = Dictionary(works) { first, _ in first }
    let stretch = max(1, configuration.totalSteps / Self.stretches)
    var (training, validation) = (ThinnedSample<Point>(), ThinnedSample<Point>())
    var (done, sum, count) = (Point(), 0.0, 0)
    try RunHistory.forEachLine(of: folder) { line in
      switch line {
      case .step(let step, let stage, let numbers):
        done.add(numbers, step: step, work: work[stage] ?? 0)
        if done.loss.isFinite { (sum, count) = (sum + done.loss, count + 1) }
        guard step % stretch == 0, count > 0 else { return }
        training.add(done.with(loss: sum / Double(count)))
        (sum, count) = (0, 0)
      case .validation(_, let loss):
        if loss.isFinite { validation.add(done.with(loss: loss)) }
      case .angle, .checkpoint, .start, .gap, .snapshot: break
      }
    }
    if count > 0 { training.add(done.with(loss: sum / Double(count))) }
    guard training.count > 0 else { throw FileError.unusable(path: folder.metrics, problem: "holds no step yet") }
    (self.training, self.validation) = (training.elements, validation.elements)
  }
}

extension RunProgress.Point {
  fileprivate mutating func add(_ numbers: [(name: String, value: MetricValue)], step: Int, work: Double) {
    func number(_ name: String) -> Double { numbers.first { $0.name == name }?.value.number ?? 0 }
    let seconds = number("seconds")
    let images = (seconds * number("images_per_second")).rounded()
    self.step = Double(step)
    self.images += images
    flop += images * work
    hours += seconds / 3600
    loss = numbers.first { $0.name == "loss" }?.value.number ?? .nan
  }

  fileprivate func with(loss: Double) -> Self {
    var point = self
    point.loss = loss
    return point
  }
}

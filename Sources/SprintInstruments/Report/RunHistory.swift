import Foundation
import SprintFormats
import SprintTraining

/// What `metrics.jsonl` says about a run so far, in memory that does not grow with the log.
struct RunHistory {
  /// The last step.
  private(set) var lastStep = 0
  /// The names of a step's numbers in the order of the log.
  private(set) var names: [String] = []
  private var curves: [String: ThinnedCurve] = [:]
  /// The loss of the last step.
  private(set) var lastLoss = Double.nan
  /// The stages so far; a log that switches more often than any configuration has the rest in the last one.
  private(set) var stages: [StageHistory] = []
  /// The losses of validations.
  private(set) var validations = Validations()
  /// The mean cosines between the gradients of denoising and alignment.
  private(set) var angles = ThinnedSample<(step: Int, cosine: Double)>()
  /// The latest starts of the run, with those who took part from there on.
  private(set) var starts: [RunStartRecord] = []
  /// The seconds that writing a checkpoint took, by file.
  private(set) var saves: [String: Double] = [:]
  /// The steps that the log lacks.
  private(set) var gaps = LogGaps()
  private static let (mostNames, mostStages, mostStarts) = (64, 256, 1000)

  /// Validations and the best of them.
  struct Validations {
    private(set) var points = ThinnedSample<(step: Int, loss: Double)>()
    private(set) var best: (step: Int, loss: Double)?

    fileprivate mutating func add(_ step: Int, _ loss: Double) {
      points.add((step, loss))
      if loss < best?.loss ?? .infinity { best = (step, loss) }
    }
  }

  /// The last start, with the facts about network and data.
  var lastStart: RunStartRecord? { starts.last }

  /// The seconds of all steps.
  var seconds: Double { stages.reduce(0) { $0 + $1.seconds } }

  /// The number of steps in the log.
  var steps: Int { stages.reduce(0) { $0 + $1.steps } }

  /// Reads the log of a run line by line.
  ///
  /// - Parameter checkpoints: the names of the checkpoints that still exist
  init(_ folder: RunFolder, checkpoints: [String] = []) throws {
    let existing = Set(checkpoints)
    try Self.forEachLine(of: folder) { take($0, existing) }
    gaps.end()
    guard steps > 0 else { throw FileError.unusable(path: folder.metrics, problem: "holds no step yet") }
  }

  /// Calls `body` with the lines of a run's log.
  static func forEachLine(of folder: RunFolder, _ body: (LogLine) throws -> Void) throws {
    guard let file = try? RandomAccessFile(reading: folder.metrics), try file.size > 0 else {
      throw FileError.unusable(path: folder.path, problem: "holds no metrics.jsonl; is it the folder of a run?")
    }
    // The last line may be incomplete while the run goes on.
    try file.forEachLine { line in
      guard let line = LogLine(line) else { return }
      try check(line, folder)
      try body(line)
    }
  }

  private static func check(_ line: LogLine, _ folder: RunFolder) throws {
    guard case .start(let start) = line, start.format > RunStartRecord.currentFormat else { return }
    let known = RunStartRecord.currentFormat
    throw FileError.unusable(
      path: folder.metrics, problem: "has format \(start.format), expected at most \(known); use a newer sprint")
  }

  private mutating func take(_ line: LogLine, _ checkpoints: Set<String>) {
    // No run writes others; a damaged log may hold them.
    guard line.step >= 0, Double(line.step) <= TrainingPosition.largest else { return }
    switch line {
    case .step(let step, let stage, let numbers): take(step, stage, numbers)
    case .validation(let step, let loss): validations.add(step, loss)
    case .checkpoint(_, let file, let seconds): if checkpoints.contains(file) { saves[file] = seconds }
    case .start(let start): starts = starts.suffix(Self.mostStarts - 1) + [start]
    case .gap(let steps): gaps.take(gap: steps)
    case .angle(let step, let cosine): angles.add((step, cosine))
    case .snapshot: break
    }
  }

  private mutating func take(_ step: Int, _ stage: String, _ numbers: [(name: String, value: MetricValue)]) {
    gaps.take(step: step)
    lastStep = step
    lastLoss = numbers.first { $0.name == "loss" }?.value.number ?? .nan
    if stages.last?.name != stage, stages.count < Self.mostStages {
      stages.append(StageHistory(name: stage, firstStep: step))
    }
    stages[stages.count - 1].add { name in numbers.first { $0.name == name }?.value.number ?? .nan }
    for (name, value) in numbers {
      if curves[name] == nil {
        guard names.count < Self.mostNames else { continue }
        names.append(name)
      }
      curves[name, default: ThinnedCurve()].add(value.number, step: step)
    }
  }

  /// The curve of a number; nil where it was never finite.
  func curve(_ name: String) -> ThinnedCurve? { curves[name].flatMap { $0.columns.isEmpty ? nil : $0 } }
}

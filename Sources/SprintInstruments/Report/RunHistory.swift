import Foundation
import SprintFormats
import SprintTraining

/// What `metrics.jsonl` says about a run so far.
struct RunHistory {
  /// Updates in order, and the stage of each.
  private(set) var steps: [Int] = []
  private(set) var stages: [String] = []
  /// Numbers of every update by name, in the order of the log.
  private(set) var columns: [(name: String, values: [Double])] = []
  /// Validation losses by step.
  private(set) var validations: [(step: Int, loss: Double)] = []
  /// The starts of the run, with those who took part from there on.
  private(set) var starts: [RunStartRecord] = []
  /// Checkpoints that were written.
  private(set) var saves: [(file: String, seconds: Double)] = []
  private var places: [String: Int] = [:]

  /// The last start, with the facts about network and data.
  var lastStart: RunStartRecord? { starts.last }

  /// Reads the log of a run line by line.
  init(_ folder: RunFolder) throws {
    guard let file = try? RandomAccessFile(reading: folder.metrics), try file.size > 0 else {
      throw FileError.unusable(path: folder.path, problem: "holds no metrics.jsonl; is it the folder of a run?")
    }
    try Self.forEachLine(of: file) { text in
      // The last line may be incomplete while the run goes on.
      if let line = LogLine(json: text) { take(line) }
    }
    guard !steps.isEmpty else { throw FileError.unusable(path: folder.metrics, problem: "holds no step yet") }
  }

  private mutating func take(_ line: LogLine) {
    // No run writes others; a damaged log may hold them.
    guard line.step >= 0, Double(line.step) <= TrainingPosition.largest else { return }
    switch line {
    case .step(let step, let stage, let numbers): take(step, stage, numbers)
    case .validation(let step, let loss): validations.append((step, loss))
    case .checkpoint(_, let file, let seconds): saves.append((file, seconds))
    case .start(let start): starts.append(start)
    case .snapshot: break
    }
  }

  private mutating func take(_ step: Int, _ stage: String, _ numbers: [(name: String, value: MetricValue)]) {
    for (name, _) in numbers where places[name] == nil {
      places[name] = columns.count
      columns.append((name, Array(repeating: .nan, count: steps.count)))
    }
    steps.append(step)
    stages.append(stage)
    for i in columns.indices { columns[i].values.append(.nan) }
    for (name, value) in numbers {
      if let place = places[name] { columns[place].values[steps.count - 1] = value.number }
    }
  }

  /// The numbers of one name, or none.
  func values(_ name: String) -> [Double] { places[name].map { columns[$0].values } ?? [] }

  /// The indices in `steps` at which stages begin.
  var stageStarts: [Int] { stages.indices.filter { $0 == 0 || stages[$0] != stages[$0 - 1] } }

  private static func forEachLine(of file: RandomAccessFile, _ body: (Data) -> Void) throws {
    let size = try file.size
    var (place, rest) = (0, Data())
    while place < size {
      var piece = Data(count: min(1 << 20, size - place))
      try piece.withUnsafeMutableBytes { try file.read(into: $0, at: place) }
      place += piece.count
      rest.append(piece)
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        body(rest[rest.startIndex..<end])
        rest = rest[(end + 1)...]
      }
      rest = Data(rest)
    }
  }
}

extension RunHistory {
  /// One line of names, then one line for each step with all its numbers and the validation loss, if there is one.
  var csv: String {
    let losses = Dictionary(validations.map { ($0.step, $0.loss) }) { $1 }
    let head = (["step", "stage"] + columns.map(\.name) + ["validation_loss"]).joined(separator: ",")
    return steps.indices.reduce(into: head + "\n") { text, i in
      let stage =
        stages[i].contains { ",\"\n".contains($0) } ? "\"\(stages[i].replacing("\"", with: "\"\""))\"" : stages[i]
      let numbers = columns.map(\.values[i]) + [losses[steps[i]] ?? .nan]
      text += "\(steps[i]),\(stage)," + numbers.map { $0.isNaN ? "" : "\($0)" }.joined(separator: ",") + "\n"
    }
  }
}

import Foundation
import SprintFormats
import SprintTraining

/// The history of a run so far, read from its log `metrics.jsonl`.
struct RunHistory {
  /// A start of the run, with the ranks that took part from then on.
  struct Start {
    let step, ranks, threads: Int
    let date, hosts: String
    let peakGflops: Double
  }

  /// A saved checkpoint.
  struct Saved {
    let step: Int
    let file: String
    let seconds: Double
  }

  /// The steps in order.
  private(set) var steps: [Int] = []
  /// The stage of each step.
  private(set) var stages: [String] = []
  /// The numbers of all steps by name; NaN where the log has none.
  private(set) var columns: [(name: String, values: [Double])] = []
  /// Validation losses by step.
  private(set) var validations: [(step: Int, loss: Double)] = []
  private(set) var starts: [Start] = []
  private(set) var saves: [Saved] = []
  private(set) var weights = 0
  private(set) var images = 0
  /// A note about the colours of pictures; empty if they are those of the images.
  private(set) var caption = ""
  private var places: [String: Int] = [:]

  /// Reads the log of a run line by line.
  init(_ folder: RunFolder) throws {
    guard let file = try? RandomAccessFile(reading: folder.metrics), try file.size > 0 else {
      throw FileError.unusable(path: folder.path, problem: "holds no metrics.jsonl; is it the folder of a run?")
    }
    try Self.forEachLine(of: file) { line in
      // The last line may be incomplete while the run goes on.
      guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else { return }
      take(object)
    }
    guard !steps.isEmpty else { throw FileError.unusable(path: folder.metrics, problem: "holds no step yet") }
  }

  private mutating func take(_ line: [String: Any]) {
    guard let step = line["step"] as? Int else { return }
    func number(_ name: String) -> Double { (line[name] as? NSNumber)?.doubleValue ?? .nan }
    func integer(_ name: String) -> Int { line[name] as? Int ?? 0 }
    func text(_ name: String) -> String { line[name] as? String ?? "" }
    if line["loss"] != nil {
      takeStep(step, stage: text("stage"), line)
    } else if line["validation_loss"] != nil {
      validations.append((step, number("validation_loss")))
    } else if line["checkpoint"] != nil {
      saves.append(Saved(step: step, file: text("checkpoint"), seconds: number("seconds")))
    } else if line["ranks"] != nil {
      starts.append(
        Start(
          step: step, ranks: integer("ranks"), threads: integer("threads"), date: text("started"), hosts: text("hosts"),
          peakGflops: number("peak_gflops")))
      (weights, images, caption) = (integer("weights"), integer("images"), text("pictures"))
    }
  }

  private mutating func takeStep(_ step: Int, stage: String, _ line: [String: Any]) {
    for name in Self.order(line.keys.filter { places[$0] == nil }) {
      places[name] = columns.count
      columns.append((name, Array(repeating: .nan, count: steps.count)))
    }
    steps.append(step)
    stages.append(stage)
    for i in columns.indices { columns[i].values.append((line[columns[i].name] as? NSNumber)?.doubleValue ?? .nan) }
  }

  /// Orders names, because a dictionary does not keep the order of the log: the important ones first, then by alphabet.
  private static func order(_ names: some Sequence<String>) -> [String] {
    let first = ["loss", "alignment", "gradient_norm", "learning_rate", "seconds", "images_per_second", "peak_share"]
    return names.filter { $0 != "step" && $0 != "stage" }
      .sorted { (first.firstIndex(of: $0) ?? first.count, $0) < (first.firstIndex(of: $1) ?? first.count, $1) }
  }

  /// Returns the numbers of a name for all steps, or an empty array if the log does not have it.
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

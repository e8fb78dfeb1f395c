import Foundation
import SprintFormats
import SprintTraining

/// The numbers of all steps of a run as CSV, written while the log is read.
struct StepTable {
  private let names: [String]
  private let places: [String: Int]
  private let folder: RunFolder

  /// - Parameter names: the names of the numbers, in the order of the columns
  init(_ folder: RunFolder, names: [String]) {
    (self.folder, self.names) = (folder, names)
    places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  }

  private struct Row {
    let step: Int
    let stage: String
    var values: [Double]
    var validationLoss = Double.nan

    var text: String {
      let quoted =
        stage.contains { ",\"\n".contains($0) } ? "\"\(stage.replacing("\"", with: "\"\""))\"" : stage
      let numbers = (values + [validationLoss]).map { $0.isNaN ? "" : "\($0)" }
      return "\(step),\(quoted)," + numbers.joined(separator: ",") + "\n"
    }
  }

  /// Writes one line of names, then one line for each step with all its numbers and the validation loss, if there is
  /// one.
  func write(to path: String) throws {
    try AtomicFile.create(path) { temporary in
      let file = try RandomAccessFile(creating: temporary)
      var (text, end) = (Data(), 0)
      func flush() throws {
        try text.withUnsafeBytes { try file.write($0, at: end) }
        (end, text) = (end + text.count, Data())
      }
      try forEachLine {
        text += Data($0.utf8)
        if text.count > 1 << 20 { try flush() }
      }
      try flush()
    }
  }

  private func forEachLine(_ body: (String) throws -> Void) throws {
    try body((["step", "stage"] + names + ["validation_loss"]).joined(separator: ",") + "\n")
    // The validation of a step comes after its numbers and before the next step's.
    var row: Row?
    try RunHistory.forEachLine(of: folder) { line in
      switch line {
      case .step(let step, let stage, let numbers):
        if let row { try body(row.text) }
        row = Row(step: step, stage: stage, values: values(numbers))
      case .validation(let step, let loss): if row?.step == step { row?.validationLoss = loss }
      default: break
      }
    }
    if let row { try body(row.text) }
  }

  private func values(_ numbers: [(name: String, value: MetricValue)]) -> [Double] {
    numbers.reduce(into: [Double](repeating: .nan, count: names.count)) { values, number in
      if let place = places[number.name] { values[place] = number.value.number }
    }
  }
}

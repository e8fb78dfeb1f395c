import Foundation
import SprintFormats

/// A line of `metrics.jsonl`: what is written and how it is read again stand side by side.
package enum LogLine: Sendable {
  /// The numbers of one step, in the order of `StepColumn.all`; skipped updates are whole numbers.
  case step(Int, stage: String, numbers: [(name: String, value: MetricValue)])
  /// The validation loss after a step.
  case validation(step: Int, loss: Double)
  /// The mean cosine between the gradients of denoising and alignment, measured before the next step.
  case angle(step: Int, cosine: Double)
  /// The seconds that a snapshot took between two steps.
  case snapshot(step: Int, seconds: Double)
  /// A checkpoint was written.
  case checkpoint(step: Int, file: String, seconds: Double)
  /// The run was started or resumed.
  case start(RunStartRecord)
  /// Lines of these steps could not be written or were lost.
  case gap(ClosedRange<Int>)
}

/// Who takes part in a run from a step on.
package struct RunStartRecord: Sendable {
  /// The format of the lines that follow; 0 before it was stated. Format 1 only adds this field.
  package let format: Int
  /// The step, the number of ranks, and the threads of all ranks together.
  package let step, ranks, threads: Int
  /// When the run was started, and on which hosts.
  package let date, hosts: String
  /// 10⁹ FLOP/s of all ranks in large matrix products.
  package let peakGflops: Double
  /// What the colours of the pictures mean, where they are not the images' own.
  package let caption: String
  /// Weights of the network, and images of the data set.
  package let weights, images: Int
  /// The format that this version writes. It rises where a field gets another meaning, not where one is added.
  package static let currentFormat = 1

  /// A record of a start.
  package init(
    step: Int, ranks: Int, threads: Int, date: String, hosts: String, peakGflops: Double, caption: String, weights: Int,
    images: Int, format: Int = currentFormat
  ) {
    self.format = format
    (self.step, self.ranks, self.threads, self.date, self.hosts) = (step, ranks, threads, date, hosts)
    (self.peakGflops, self.caption, self.weights, self.images) = (peakGflops, caption, weights, images)
  }
}

extension LogLine {
  /// The names of all fields but those of `StepColumn`.
  private enum Field {
    static let step = "step", stage = "stage", seconds = "seconds", validationLoss = "validation_loss"
    static let snapshotSeconds = "snapshot_seconds", checkpoint = "checkpoint", started = "started", ranks = "ranks"
    static let hosts = "hosts", threads = "threads", peakGflops = "peak_gflops", pictures = "pictures"
    static let weights = "weights", images = "images", format = "format", gapEnd = "gap_to", cosine = "gradient_cosine"
  }

  /// The step that the line belongs to.
  package var step: Int {
    switch self {
    case .step(let step, _, _), .validation(let step, _), .angle(let step, _), .snapshot(let step, _),
      .checkpoint(let step, _, _):
      step
    case .start(let start): start.step
    case .gap(let steps): steps.lowerBound
    }
  }

  /// The fields of the line in their order.
  package var fields: [(String, MetricValue)] {
    switch self {
    case .step(let step, let stage, let numbers):
      [(Field.step, .integer(step)), (Field.stage, .text(stage))] + numbers.map { ($0.name, $0.value) }
    case .validation(let step, let loss): [(Field.step, .integer(step)), (Field.validationLoss, .number(loss))]
    case .angle(let step, let cosine): [(Field.step, .integer(step)), (Field.cosine, .number(cosine))]
    case .snapshot(let step, let seconds): [(Field.step, .integer(step)), (Field.snapshotSeconds, .number(seconds))]
    case .checkpoint(let step, let file, let seconds):
      [(Field.step, .integer(step)), (Field.checkpoint, .text(file)), (Field.seconds, .number(seconds))]
    case .start(let start):
      [
        (Field.step, .integer(start.step)), (Field.format, .integer(start.format)), (Field.started, .text(start.date)),
        (Field.ranks, .integer(start.ranks)),
        (Field.hosts, .text(start.hosts)), (Field.threads, .integer(start.threads)),
        (Field.peakGflops, .number(start.peakGflops)), (Field.pictures, .text(start.caption)),
        (Field.weights, .integer(start.weights)), (Field.images, .integer(start.images)),
      ]
    case .gap(let steps): [(Field.step, .integer(steps.lowerBound)), (Field.gapEnd, .integer(steps.upperBound))]
    }
  }

  /// The line as it stands in the file, with its line break.
  var text: Data {
    Data(("{" + fields.map { "\"\($0.0)\": \($0.1.json)" }.joined(separator: ", ") + "}\n").utf8)
  }

  /// Reads a line; nil where it is damaged, or was written by another program.
  package init?(json: Data) {
    guard let line = json.withUnsafeBytes({ LogLine(FlatObject(json: $0)) }) else { return nil }
    self = line
  }

  /// Reads a line of a file; nil where it is damaged, or was written by another program.
  package init?(_ line: FileLine) { self.init(FlatObject(json: line.bytes)) }

  /// Reads the fields of a line.
  init?(_ object: FlatObject?) {
    guard let object, let step = object.step else { return nil }
    func number(_ name: String) -> Double { object[name]?.number ?? .nan }
    if object["loss"] != nil {
      self = .step(step, stage: object.text(Field.stage), numbers: Self.numbers(of: object))
    } else if object[Field.validationLoss] != nil {
      self = .validation(step: step, loss: number(Field.validationLoss))
    } else if object[Field.cosine] != nil {
      self = .angle(step: step, cosine: number(Field.cosine))
    } else if object[Field.snapshotSeconds] != nil {
      self = .snapshot(step: step, seconds: number(Field.snapshotSeconds))
    } else if object[Field.checkpoint] != nil {
      self = .checkpoint(step: step, file: object.text(Field.checkpoint), seconds: number(Field.seconds))
    } else if object[Field.ranks] != nil {
      self = .start(Self.start(step, object))
    } else if let end = object.integer(Field.gapEnd), end >= step {
      self = .gap(step...end)
    } else {
      return nil
    }
  }

  private static func start(_ step: Int, _ object: FlatObject) -> RunStartRecord {
    func integer(_ name: String) -> Int { object.integer(name) ?? 0 }
    return RunStartRecord(
      step: step, ranks: integer(Field.ranks), threads: integer(Field.threads), date: object.text(Field.started),
      hosts: object.text(Field.hosts), peakGflops: object[Field.peakGflops]?.number ?? .nan,
      caption: object.text(Field.pictures), weights: integer(Field.weights), images: integer(Field.images),
      format: integer(Field.format))
  }

  private static func numbers(of object: FlatObject) -> [(name: String, value: MetricValue)] {
    object.fields.compactMap { name, value in
      name == Field.step || name == Field.stage ? nil : (name, .number(value.number))
    }
  }

  /// Whether the log of a run says that there was a checkpoint. Throws where nobody can know.
  static func mentionsCheckpoint(log path: String) throws -> Bool {
    guard let file = try RandomAccessFile(ifExists: path) else { return false }
    var found = false
    try file.forEachLine { line in
      // The rest of the line may be damaged.
      found = found || line.bytes.contains("\"\(Field.checkpoint)\": ")
      if !found, line.bytes.contains("\"\(Field.started)\": "), case .start(let start) = LogLine(line) {
        found = start.step > 0
      }
    }
    return found
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func contains(_ text: String) -> Bool { Data(self).range(of: Data(text.utf8)) != nil }
}

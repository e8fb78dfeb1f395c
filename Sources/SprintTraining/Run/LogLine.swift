import Foundation

/// A line of `metrics.jsonl`: what is written and how it is read again stand side by side.
package enum LogLine: Sendable {
  /// The numbers of one step, in the order of `StepColumn.all`; skipped updates are whole numbers.
  case step(Int, stage: String, numbers: [(name: String, value: MetricValue)])
  /// The validation loss after a step.
  case validation(step: Int, loss: Double)
  /// The seconds that a snapshot took between two steps.
  case snapshot(step: Int, seconds: Double)
  /// A checkpoint was written.
  case checkpoint(step: Int, file: String, seconds: Double)
  /// The run was started or resumed.
  case start(RunStartRecord)
}

/// Who takes part in a run from a step on.
package struct RunStartRecord: Sendable {
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

  /// A record of a start.
  package init(
    step: Int, ranks: Int, threads: Int, date: String, hosts: String, peakGflops: Double, caption: String, weights: Int,
    images: Int
  ) {
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
    static let weights = "weights", images = "images"
  }

  /// The step that the line belongs to.
  package var step: Int {
    switch self {
    case .step(let step, _, _), .validation(let step, _), .snapshot(let step, _), .checkpoint(let step, _, _): step
    case .start(let start): start.step
    }
  }

  /// The fields of the line in their order.
  package var fields: [(String, MetricValue)] {
    switch self {
    case .step(let step, let stage, let numbers):
      [(Field.step, .integer(step)), (Field.stage, .text(stage))] + numbers.map { ($0.name, $0.value) }
    case .validation(let step, let loss): [(Field.step, .integer(step)), (Field.validationLoss, .number(loss))]
    case .snapshot(let step, let seconds): [(Field.step, .integer(step)), (Field.snapshotSeconds, .number(seconds))]
    case .checkpoint(let step, let file, let seconds):
      [(Field.step, .integer(step)), (Field.checkpoint, .text(file)), (Field.seconds, .number(seconds))]
    case .start(let start):
      [
        (Field.step, .integer(start.step)), (Field.started, .text(start.date)), (Field.ranks, .integer(start.ranks)),
        (Field.hosts, .text(start.hosts)), (Field.threads, .integer(start.threads)),
        (Field.peakGflops, .number(start.peakGflops)), (Field.pictures, .text(start.caption)),
        (Field.weights, .integer(start.weights)), (Field.images, .integer(start.images)),
      ]
    }
  }

  /// Reads a line; nil where it is damaged, or was written by another program.
  package init?(json: Data) {
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any],
      let step = object[Field.step] as? Int
    else { return nil }
    func number(_ name: String) -> Double { (object[name] as? NSNumber)?.doubleValue ?? .nan }
    func text(_ name: String) -> String { object[name] as? String ?? "" }
    if object["loss"] != nil {
      self = .step(step, stage: text(Field.stage), numbers: Self.numbers(of: object))
    } else if object[Field.validationLoss] != nil {
      self = .validation(step: step, loss: number(Field.validationLoss))
    } else if object[Field.snapshotSeconds] != nil {
      self = .snapshot(step: step, seconds: number(Field.snapshotSeconds))
    } else if object[Field.checkpoint] != nil {
      self = .checkpoint(step: step, file: text(Field.checkpoint), seconds: number(Field.seconds))
    } else if object[Field.ranks] != nil {
      self = .start(Self.start(step, object))
    } else {
      return nil
    }
  }

  private static func start(_ step: Int, _ object: [String: Any]) -> RunStartRecord {
    func integer(_ name: String) -> Int { object[name] as? Int ?? 0 }
    func text(_ name: String) -> String { object[name] as? String ?? "" }
    return RunStartRecord(
      step: step, ranks: integer(Field.ranks), threads: integer(Field.threads), date: text(Field.started),
      hosts: text(Field.hosts), peakGflops: (object[Field.peakGflops] as? NSNumber)?.doubleValue ?? .nan,
      caption: text(Field.pictures), weights: integer(Field.weights), images: integer(Field.images))
  }

  /// A dictionary has lost the order of the log: known columns come first in their order, others by name.
  private static func numbers(of object: [String: Any]) -> [(name: String, value: MetricValue)] {
    object.keys.filter { $0 != Field.step && $0 != Field.stage }
      .sorted { (columnOrder[$0] ?? .max, $0) < (columnOrder[$1] ?? .max, $1) }
      .map { ($0, .number((object[$0] as? NSNumber)?.doubleValue ?? .nan)) }
  }

  private static let columnOrder = Dictionary(
    uniqueKeysWithValues: StepColumn.all.enumerated().map { ($1.name, $0) })

  /// Whether the log of a run says that a checkpoint was written.
  static func mentionsCheckpoint(log path: String) -> Bool {
    FileManager.default.contents(atPath: path)?.range(of: Data("\"\(Field.checkpoint)\": ".utf8)) != nil
  }
}

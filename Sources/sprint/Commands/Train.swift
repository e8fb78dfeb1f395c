import ArgumentParser
import Foundation
import SprintCommunication
import SprintModel
import SprintTraining

/// `sprint train`
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network through all stages of a configuration.",
    discussion: "Example: sprint train --config configs/digits.yaml --run runs/digits --set stages[0].steps=500")

  @Option(help: "The YAML configuration.")
  var config: String

  @Option(name: .customLong("run"), help: "The run's folder; runs/NAME after the configuration's name where left out.")
  var folder: String?

  @Option(help: "auto (the newest checkpoint in the run's folder), never, or a checkpoint's file.")
  var resume: String = "never"

  @Option(
    name: .customLong("init"),
    help:
      "Starts from the weights of a safetensors file, exported or published, instead of random ones; not when resuming."
  )
  var initialWeights: String?

  @OptionGroup var names: AllowanceOptions

  @Option(name: .customLong("set"), help: "Replaces a value of the configuration: KEY=VALUE, e.g. stages[0].steps=100.")
  var settings: [String] = []

  @Option(help: "Stops with a checkpoint after this step.")
  var until: Int?

  @Flag(help: "Checks every buffer for non-finite values and the gradients of one batch; echoes the configuration.")
  var debug = false

  @Option(
    help:
      "When the run has to be over: a duration such as 90m, 2h30m or 3600s, or a moment such as 2026-01-31T18:00:00Z. A checkpoint is saved in time."
  )
  var deadline: Deadline?

  func validate() throws {
    if let until, until < 1 { throw ValidationError("--until is \(until), expected a step of at least 1") }
    guard initialWeights != nil || !names.isGiven else { throw ValidationError("--allow-... belong to --init") }
  }

  func run() throws {
    let job = try Job()
    let communicator = job.communicator
    let configuration = try communicator.agree {
      try Configuration(ConfigurationDocument(path: config, settings: settings, settingsName: "--set"))
    }
    try communicator.setTimeout(configuration.distribution.timeout)
    if debug { for entry in configuration.entries { Console.line("\(entry.key): \(entry.value)") } }
    let name = ((config as NSString).lastPathComponent as NSString).deletingPathExtension
    let folder = RunFolder(path: self.folder ?? "runs/\(name)")
    let printer = communicator.rank == 0 ? TrainingPrinter(interval: configuration.logInterval) : nil
    let trainer = try Trainer(
      configuration, folder: folder, resume: policy, isDebugging: debug, communicator: communicator,
      start: try start(communicator)
    ) { printer?.show($0) }
    let end = try trainer.run(until: until, deadline: deadline?.date ?? Deadline.ofSlurmJob, stop: job.stop)
    printer?.finish()
    try job.end()
    switch end {
    case .finished: Console.line("done: \(folder.path)")
    case .reachedStep: Console.line("stopped after step \(until ?? 0): \(folder.path)")
    case .interrupted:
      if communicator.rank == 0 { Console.error("sprint: interrupted; go on with --resume auto --run \(folder.path)") }
      throw Console.restart
    }
  }

  /// Reads the file's weights at rank zero.
  private func start(_ communicator: Communicator) throws -> ((ParameterArena) throws -> Void)? {
    guard let initialWeights else { return nil }
    let file = try communicator.agree { communicator.rank == 0 ? try WeightsFile(path: initialWeights) : nil }
    return { [names] in try file?.read(into: $0, names.allowance) }
  }

  private var policy: ResumePolicy {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .file(resume)
    }
  }
}

/// A moment when a run has to be over.
struct Deadline: ExpressibleByArgument {
  let date: Date

  init?(argument: String) {
    if let moment = ISO8601DateFormatter().date(from: argument) {
      date = moment
    } else if let seconds = Self.seconds(argument), seconds > 0 {
      date = Date(timeIntervalSinceNow: seconds)
    } else {
      return nil
    }
  }

  private init(date: Date) { self.date = date }

  /// The end of the Slurm job that this process belongs to, if Slurm tells it.
  static var ofSlurmJob: Date? {
    ProcessInfo.processInfo.environment["SLURM_JOB_END_TIME"].flatMap(Double.init).map(
      Date.init(timeIntervalSince1970:))
  }

  /// `2h30m`, `90m`, `45s`, or seconds alone.
  private static func seconds(_ text: String) -> Double? {
    if let plain = Double(text) { return plain.isFinite ? plain : nil }
    var (total, digits) = (0.0, "")
    for character in text {
      if let unit = ["d": 86400.0, "h": 3600, "m": 60, "s": 1][character] {
        guard let number = Double(digits) else { return nil }
        (total, digits) = (total + number * unit, "")
      } else {
        digits.append(character)
      }
    }
    return digits.isEmpty ? total : nil
  }
}

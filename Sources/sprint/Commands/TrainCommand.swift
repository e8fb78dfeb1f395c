import ArgumentParser
import Foundation
import SprintCommunication
import SprintModel
import SprintTraining

/// `sprint train`
struct TrainCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a network through all stages of a configuration.",
    discussion: "Example: sprint train --config configs/digits.yaml --run runs/digits --set stages[0].steps=500")

  @OptionGroup var input: ConfigurationOptions

  @Option(
    name: .customLong("run"),
    help: "The folder of the run; without it, runs/NAME, where NAME is that of the configuration.",
    transform: nonEmptyPath)
  var folder: String?

  @Option(
    help: "auto (the newest checkpoint in the folder of the run), never, or the file of a checkpoint. (default: never)",
    transform: nonEmptyPath)
  var resume: String = "never"

  @Option(
    name: .customLong("init"),
    help:
      "Starts from the weights in a safetensors file, exported or published; a resumed run ignores it.",
    transform: nonEmptyPath)
  var initialWeights: String?

  @OptionGroup var names: AllowanceOptions

  @Option(
    help: """
      Weights that may have another shape in the safetensors file, e.g. 'y_embedder.*' for other classes: these start \
      anew; may be given several times.
      """)
  var allowShape: [String] = []

  @Option(help: "Saves a checkpoint after this step and stops.")
  var until: Int?

  @Flag(
    help: "Prints the configuration, checks the gradients of one batch, and checks every buffer for non-finite values.")
  var debug = false

  @Option(
    help:
      """
      When the run has to be over: a duration such as 90m, 2h30m or 3600s, or a moment such as 2026-01-31T18:00:00Z. \
      sprint saves a checkpoint in time.
      """
  )
  var deadline: Deadline?

  @Option(
    help:
      "How many seconds to try again while the run's disk is full or its file server does not answer at the start.")
  var patience: Double = 60

  func validate() throws {
    guard (0...1e6).contains(patience) else {
      throw ValidationError("--patience is \(patience), expected a number of seconds from 0 to 1000000")
    }
    if let until, until < 1 { throw ValidationError("--until is \(until), expected a step of at least 1") }
    guard initialWeights != nil || !names.isGiven && allowShape.isEmpty else {
      throw ValidationError("--allow-... need --init")
    }
  }

  func run() throws {
    let job = try Job()
    let communicator = job.communicator
    let configuration = try communicator.agree { try input.read() }
    try communicator.setTimeout(configuration.distribution.timeout)
    if debug { for entry in configuration.entries { Console.line("\(entry.key): \(entry.value)") } }
    let name = ((try input.path as NSString).lastPathComponent as NSString).deletingPathExtension
    let folder = RunFolder(path: self.folder ?? "runs/\(name)")
    let printer = communicator.rank == 0 ? TrainingPrinter(interval: configuration.logInterval) : nil
    let trainer = try Trainer(
      configuration, folder: folder, resume: policy, isDebugging: debug, communicator: communicator,
      patience: Patience(seconds: patience, stop: job.stop) { Console.error("sprint: \($0)") },
      start: try start(communicator)
    ) { printer?.show($0) }
    let first = trainer.position.step
    let end = try repeatingInit {
      try trainer.run(until: until, deadline: (deadline ?? .ofSlurmJob)?.moment, stop: job.stop)
    }
    printer?.finish()
    try job.end()
    switch end {
    case .finished: Console.line("done: \(folder.path)")
    case .reachedStep: Console.line("\(Self.stopped(at: until ?? 0, from: first)): \(folder.path)")
    case .interrupted:
      if communicator.rank == 0 {
        Console.error("sprint: interrupted; continue with --resume auto --run \(folder.path)")
      }
      throw Console.restart
    }
  }

  /// How a run ended that was to stop after a step.
  private static func stopped(at last: Int, from first: Int) -> String {
    first < last ? "stopped after step \(last)" : "at step \(first) already, --until is \(last); nothing was trained"
  }

  /// Adds --init and what belongs to it to the way out of a failed run, which may have to start from step 0.
  private func repeatingInit<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch RunError.notFinite(let step, let what, var way) {
      way.start =
        initialWeights.map {
          ["--init", $0] + names.arguments + AllowanceOptions.arguments("--allow-shape", allowShape)
        } ?? []
      throw RunError.notFinite(step: step, what: what, way)
    }
  }

  /// Opens --init at rank zero; the closure reads its weights.
  private func start(_ communicator: Communicator) throws -> ((ParameterArena<Float>) throws -> Void)? {
    guard let initialWeights else { return nil }
    let file = try communicator.agree { communicator.rank == 0 ? try WeightsFile(path: initialWeights) : nil }
    var allowance = names.allowance
    allowance.shapes = allowShape
    return { [allowance] in
      for notice in try file?.read(into: $0, .ema, allowance) ?? [] { Console.error("sprint: \(notice)") }
    }
  }

  private var policy: ResumePolicy {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .file(resume)
    }
  }
}

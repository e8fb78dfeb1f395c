import ArgumentParser
import Dispatch
import Foundation
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

  @Option(name: .customLong("set"), help: "Replaces a value of the configuration: KEY=VALUE, e.g. stages[0].steps=100.")
  var settings: [String] = []

  @Option(help: "Stops with a checkpoint after this step.")
  var until: Int?

  @Flag(help: "Checks every buffer for non-finite values and the gradients of one batch; echoes the configuration.")
  var debug = false

  func validate() throws {
    if let until, until < 1 { throw ValidationError("--until is \(until), expected a step of at least 1") }
  }

  func run() throws {
    let configuration = try Configuration(ConfigurationDocument(path: config, settings: settings))
    if debug { for entry in configuration.entries { Console.line("\(entry.key): \(entry.value)") } }
    let name = ((config as NSString).lastPathComponent as NSString).deletingPathExtension
    let folder = RunFolder(path: self.folder ?? "runs/\(name)")
    let printer = TrainingPrinter(interval: configuration.logInterval)
    let trainer = try Trainer(
      configuration, folder: folder, resume: policy, isDebugging: debug, report: printer.show)
    let stop = StopRequest()
    let signals = Self.stopOnSignals(stop)
    defer { signals.forEach { $0.cancel() } }
    let isFinished = try trainer.run(until: until, stop: stop)
    printer.finish()
    if isFinished {
      Console.line("done: \(folder.path)")
    } else if stop.isRequested {
      Console.error("sprint: interrupted; go on with --resume auto --run \(folder.path)")
      throw Console.restart
    } else {
      Console.line("stopped after step \(until ?? 0): \(folder.path)")
    }
  }

  private var policy: ResumePolicy {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .file(resume)
    }
  }

  /// Interrupt, termination and the first user signal ask for a stop with a checkpoint.
  private static func stopOnSignals(_ stop: StopRequest) -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM, SIGUSR1].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { stop.request() }
      source.resume()
      return source
    }
  }
}

import ArgumentParser
import SprintTraining

/// `sprint export`
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes trained weights as safetensors under their published names, for PyTorch and others.",
    discussion: "Example: sprint export --run runs/digits --weights ema digits.safetensors")

  @OptionGroup var origin: CheckpointOptions

  @Option(help: "The moving average (ema) or the weights in training (model).")
  var weights: WeightsSource.Choice = .ema

  @Argument(help: "The file to write (.safetensors).")
  var out: String

  func validate() throws {
    guard out.hasSuffix(".safetensors") else { throw ValidationError("\(out): weights are written as .safetensors") }
    guard origin.isGiven else { throw ValidationError("give either --run or --checkpoint") }
  }

  func run() throws {
    let model = try TrainedModel({ WeightsSource(try origin.opened(), weights) }, workers: .init(1))
    let count = try model.export(weights, to: out)
    Console.line("\(count) weights (\(weights)) of \(model.source?.origin ?? ""): \(out)")
  }
}

/// Which checkpoint a command takes.
struct CheckpointOptions: ParsableArguments {
  @Option(name: .customLong("run"), help: "The folder of a run; its newest checkpoint is used.")
  var folder: String?

  @Option(help: "A checkpoint's file, instead of --run.")
  var checkpoint: String?

  var isGiven: Bool { folder != nil || checkpoint != nil }

  func validate() throws {
    guard folder == nil || checkpoint == nil else { throw ValidationError("give either --run or --checkpoint") }
  }

  func opened() throws -> Checkpoint {
    if let folder { try TrainedModel.newestCheckpoint(run: folder) } else { try Checkpoint(path: checkpoint ?? "") }
  }
}

/// What names may differ between a file of weights and the network.
struct AllowanceOptions: ParsableArguments {
  @Option(help: "Weights that the safetensors file may lack, e.g. 'projectors.*'; may be given several times.")
  var allowMissing: [String] = []

  @Option(help: "Tensors of the safetensors file that the network may lack; may be given several times.")
  var allowSurplus: [String] = []

  var allowance: WeightsFile.Allowance { .init(missing: allowMissing, surplus: allowSurplus) }

  var isGiven: Bool { !allowMissing.isEmpty || !allowSurplus.isEmpty }
}

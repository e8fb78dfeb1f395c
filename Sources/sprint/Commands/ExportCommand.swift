import ArgumentParser
import SprintTraining

/// `sprint export`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes trained weights as safetensors under the published names, for PyTorch and others.",
    discussion: "Example: sprint export --run runs/digits --weights ema digits.safetensors")

  @OptionGroup var origin: CheckpointOptions

  @Option(help: "ema (the moving average) or model (the weights that training updates).")
  var weights: WeightsSource.Choice = .ema

  @Argument(help: "The file to write (.safetensors).", transform: nonEmptyPath)
  var out: String

  func validate() throws {
    guard out.hasSuffix(".safetensors") else {
      throw ValidationError("\(out): expected a name that ends in .safetensors")
    }
    guard origin.isGiven else { throw ValidationError("give either --run or --checkpoint") }
  }

  func run() throws {
    let model = try TrainedModel({ try WeightsSource(origin.opened(), weights) }, workers: .init(1))
    let count = try model.export(weights, to: out)
    Console.line("\(count) weights (\(weights)) of \(model.source?.origin ?? ""): \(out)")
  }
}

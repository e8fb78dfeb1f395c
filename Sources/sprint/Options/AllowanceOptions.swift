import ArgumentParser
import SprintFormats
import SprintTraining

/// The names that may differ between a file of weights and the network.
struct AllowanceOptions: ParsableArguments {
  @Option(help: "Weights that the safetensors file may lack, e.g. 'projectors.*'; may be given several times.")
  var allowMissing: [String] = []

  @Option(help: "Tensors of the safetensors file that the network may lack; may be given several times.")
  var allowSurplus: [String] = []

  var allowance: WeightsFile.Allowance { .init(missing: allowMissing, surplus: allowSurplus) }

  /// The options as they were given.
  var arguments: [String] {
    allowMissing.flatMap { ["--allow-missing", ToldCommand.quoted($0)] }
      + allowSurplus.flatMap { ["--allow-surplus", ToldCommand.quoted($0)] }
  }

  var isGiven: Bool { !allowMissing.isEmpty || !allowSurplus.isEmpty }
}

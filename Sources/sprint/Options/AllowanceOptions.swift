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
    Self.arguments("--allow-missing", allowMissing) + Self.arguments("--allow-surplus", allowSurplus)
  }

  /// An option as it was given, once for each pattern.
  static func arguments(_ option: String, _ patterns: [String]) -> [String] {
    patterns.flatMap { [option, ToldCommand.quoted($0)] }
  }

  var isGiven: Bool { !allowMissing.isEmpty || !allowSurplus.isEmpty }
}

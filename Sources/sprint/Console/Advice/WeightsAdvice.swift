import SprintTraining

extension WeightsRemedy: Advice {
  /// The options that the remedy stands for.
  var advice: String {
    switch self {
    case .allowMissing: "if that is intended, allow them with --allow-missing GLOB"
    case .allowSurplus: "if that is intended, allow them with --allow-surplus GLOB"
    case .exportCheckpoint:
      "if it is a checkpoint, write its weights with sprint export --checkpoint FILE OUT.safetensors"
    case .giveConfiguration: "give its configuration with --config"
    }
  }
}

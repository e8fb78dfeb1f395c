import SprintFormats
import SprintTraining

extension WeightsRemedy: Advice {
  /// The options that the remedy stands for.
  var advice: String {
    switch self {
    case .allowMissing: "if that is intended, allow them with --allow-missing GLOB"
    case .allowSurplus: "if that is intended, allow them with --allow-surplus GLOB"
    case .allowShapes(let patterns):
      "if they are to start anew, train with "
        + patterns.map { "--allow-shape \(ToldCommand.quoted($0))" }.joined(separator: " ")
    case .exportCheckpoint:
      "if it is a checkpoint, write its weights with sprint export --checkpoint FILE OUT.safetensors"
    case .giveConfiguration: "give its configuration with --config"
    }
  }
}

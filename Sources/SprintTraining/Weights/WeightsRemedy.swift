import SprintFormats

/// What a user can do about a weights file that does not fit.
package enum WeightsRemedy: Remedy, Equatable {
  /// Allow weights that the file lacks.
  case allowMissing
  /// Allow tensors that the network lacks.
  case allowSurplus
  /// In training, let weights that match these patterns start anew.
  case allowShapes([String])
  /// Write the weights of a checkpoint as safetensors.
  case exportCheckpoint
  /// Name the configuration of the network that the weights belong to.
  case giveConfiguration
}

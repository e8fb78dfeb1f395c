import SprintFormats

/// What a user can do about images that cannot be rated.
package enum EvaluationRemedy: Remedy {
  /// Turn latents into images.
  case decodeLatents
  /// Crop pictures to one size.
  case importPictures
  /// Compute the statistics of the reference again, with this network.
  case saveStatistics
  /// Rate with a network instead of pixels.
  case useNetwork
  /// Name the network that the weights are of.
  case nameNetwork(String)
}

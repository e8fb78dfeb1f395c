import SprintFormats

/// What a user can do about images that cannot be rated.
package enum EvaluationRemedy: Remedy {
  /// Turn latents into images.
  case decodeLatents
  /// Crop the pictures of folders to one size.
  case nameSide
  /// Leave out pictures that cannot be used.
  case skipBroken
  /// Leave out what only concerns folders of pictures.
  case leaveOutFolderOptions
  /// Compute the statistics of the reference again, with this network.
  case saveStatistics
  /// Rate with a network instead of pixels.
  case useNetwork
  /// Name the network that the weights are of.
  case nameNetwork(String)
}

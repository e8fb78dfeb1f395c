import SprintFormats

/// What a user can do about a source that cannot be imported as it is.
package enum ImportRemedy: Remedy, CaseIterable {
  /// Name the layout.
  case nameLayout
  /// Name a file with the classes, or say that there are none.
  case nameLabels
  /// Name a file that has the class of each sample beside its name.
  case pairLabels
  /// Name no file with the classes: the layout has its own.
  case leaveOutLabels
  /// Raise the number of classes.
  case raiseClasses
  /// Count classes from 0, or say that there are none.
  case countClassesFromZero
  /// Name a file of statistics, or a factor alone.
  case nameStatistics
  /// Name no factor alone: the layout has a scale of its own.
  case leaveOutMultiplier
  /// Say whether half of the images are mirrored ones.
  case sayMirrored
  /// Say nothing of mirrored images.
  case leaveOutMirrored
  /// Say whether standard deviations or logarithms of variances follow the means.
  case nameSecondHalf
  /// Say that logarithms of variances follow the means.
  case chooseLogVariance
  /// Say nothing of a second half.
  case leaveOutSecondHalf
  /// Say how large pictures become.
  case nameSide
  /// Say how many tokens along a side the network to train has.
  case nameTokens
  /// Say nothing of pictures: the source holds latents.
  case leaveOutImageOptions
  /// Neither cut nor encode pictures: the source holds their latents.
  case leaveOutEncoding
  /// Encode no mirrored images: without an autoencoder and teachers there is nothing to do with them.
  case leaveOutFlip
  /// Name neither statistics nor a factor: pixels need none.
  case leaveOutScale
  /// Name the autoencoder, or its factor.
  case nameAutoencoder
  /// Wait for the other process, or name another output.
  case waitOrNameAnotherOutput
  /// Leave out samples that cannot be used.
  case skipBroken
  /// Store float32.
  case storeFloat32
}

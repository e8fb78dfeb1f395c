import SprintFormats

/// What a user can do about a source that cannot be imported as it is.
package enum ImportRemedy: Remedy, CaseIterable {
  /// Name the layout.
  case nameLayout
  /// Name a file with the classes, or say that there are none.
  case nameLabels
  /// Name no file with the classes: the layout has its own.
  case leaveOutLabels
  /// Raise the number of classes.
  case raiseClasses
  /// Name a file of statistics.
  case nameStatistics
  /// Say whether standard deviations or logarithms of variances follow the means.
  case nameSecondHalf
  /// Say that logarithms of variances follow the means.
  case chooseLogVariance
  /// Say nothing of a second half.
  case leaveOutSecondHalf
  /// Wait for the other process, or name another output.
  case waitOrNameAnotherOutput
  /// Store float32.
  case storeFloat32
}

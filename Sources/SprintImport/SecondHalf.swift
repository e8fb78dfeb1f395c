import SprintFormats

/// What follows the means in stored moments.
package enum SecondHalf: String, Sendable, CaseIterable {
  /// The standard deviation.
  case std
  /// The logarithm of the variance, clamped to -30...20.
  case logVariance = "logvar"

  /// Returns what follows the means in a source: what the user says, else what the layout says, unless the first
  /// samples speak against it. Returns nil for drawn latents.
  static func resolve(
    _ choice: SecondHalf?, _ layout: ImportLayout, _ source: any LatentSource, _ signs: SecondHalfSigns,
    of path: String
  ) throws -> SecondHalf? {
    guard source.shape.hasMoments else {
      guard choice == nil else {
        throw FileError.unusable(path: path, problem: "holds drawn latents", remedy: ImportRemedy.leaveOutSecondHalf)
      }
      return nil
    }
    if choice == nil, layout.secondHalf == .logVariance, signs.samples > 0, signs.withNegative == 0 {
      throw FileError.unusable(
        path: path,
        problem: "the layout \(layout) has logarithms of variances behind the means, but none of the first "
          + "\(signs.samples) samples has a negative one: they look like standard deviations",
        remedy: ImportRemedy.nameSecondHalf)
    }
    return choice ?? layout.secondHalf
  }
}

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
    _ choice: SecondHalf?, _ layout: ImportLayout, _ source: any LatentSource, of path: String
  ) throws -> SecondHalf? {
    guard source.shape.hasMoments else {
      guard choice == nil else {
        throw FileError.unusable(path: path, problem: "holds drawn latents", remedy: ImportRemedy.leaveOutSecondHalf)
      }
      return nil
    }
    if choice == nil, layout.secondHalf == .logVariance { try checkLogVariances(layout, source, of: path) }
    return choice ?? layout.secondHalf
  }

  private static let samplesToCheck = 64

  /// Throws if no number behind the means of the first samples is negative, as some logarithms of variances would be.
  private static func checkLogVariances(
    _ layout: ImportLayout, _ source: any LatentSource, of path: String
  ) throws {
    let first = min(source.count, samplesToCheck)
    var checked = 0
    var values = [Float](repeating: 0, count: source.shape.elements)
    var mirrored = values
    for index in 0..<first {
      do {
        try values.withUnsafeMutableBufferPointer { values in
          try mirrored.withUnsafeMutableBufferPointer {
            _ = try source.read(index, into: values, flipped: source.shape.hasFlipped ? $0 : nil)
          }
        }
      } catch  where UnfitSample.isFaultOfOne(error) { continue } catch {
        throw FileError.ofSample(source.name(index), in: path, error)
      }
      if values[(values.count / 2)...].contains(where: { !($0 >= 0) }) { return }
      checked += 1
    }
    // The import itself names what cannot be read.
    guard checked > 0 else { return }
    throw FileError.unusable(
      path: path,
      problem: "the layout \(layout) has logarithms of variances behind the means, but none of the first \(checked) "
        + "samples has a negative one: they look like standard deviations",
      remedy: ImportRemedy.nameSecondHalf)
  }
}

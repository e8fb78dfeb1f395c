import SprintFormats

/// How often numbers behind the means are negative in the first samples: logarithms of variances are nearly everywhere,
/// standard deviations nowhere.
struct SecondHalfSigns: Sendable {
  /// The number of samples that could be read.
  private(set) var samples = 0
  /// How many of them have a negative number behind the means, and how many have many.
  private(set) var withNegative = 0
  private var withMany = 0

  private static let samplesToCheck = 64

  init(_ source: any LatentSource, of path: String) throws {
    guard source.shape.hasMoments else { return }
    var values = [Float](repeating: 0, count: source.shape.elements)
    var mirrored = values
    for index in 0..<min(source.count, Self.samplesToCheck) {
      // The import itself names what cannot be read.
      do {
        try values.withUnsafeMutableBufferPointer { values in
          try mirrored.withUnsafeMutableBufferPointer {
            _ = try source.read(index, into: values, flipped: source.shape.hasFlipped ? $0 : nil)
          }
        }
      } catch  where UnfitSample.isFaultOfOne(error) { continue } catch {
        throw FileError.ofSample(source.name(index), in: path, error)
      }
      note(values[(values.count / 2)...])
    }
  }

  private mutating func note(_ half: ArraySlice<Float>) {
    // What is not a number speaks for neither.
    let negative = half.count { !($0 >= 0) }
    samples += 1
    withNegative += negative > 0 ? 1 : 0
    withMany += Self.areMany(negative, of: half.count) ? 1 : 0
  }

  /// Whether so many negative numbers are no accident.
  static func areMany(_ negative: Int, of count: Int) -> Bool { negative * 10 >= count }

  /// Whether most of the samples hold standard deviations.
  var areDeviations: Bool { samples > 0 && withMany * 2 <= samples }

  /// A line about numbers that are no logarithms of variances, or nil if they are.
  var warning: String? {
    guard samples > 0, !Self.areMany(withNegative, of: samples) else { return nil }
    return "warning: \(withNegative) of the first \(samples) samples have a negative number behind the means, as "
      + "logarithms of variances nearly always do: they look like standard deviations"
  }
}

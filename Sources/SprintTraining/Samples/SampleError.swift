import SprintFormats

/// What a user can do about samples that cannot be drawn or written.
package enum SampleRemedy: Remedy {
  /// Wait for the other process, or name another file.
  case waitOrNameAnotherFile
  /// Write the samples' numbers in a file of another format.
  case writeNumbers
  /// Lower the guidance scale, or look at the weights.
  case lowerScaleOrCheckWeights
}

/// Why samples cannot be written.
package enum SampleError: RemediableError, CustomStringConvertible {
  /// An image holds values that are not finite.
  case notFinite(image: Int, value: Float)

  /// One line: what was found.
  package var description: String {
    switch self {
    case .notFinite(let image, let value):
      "image \(image) holds \(value.isNaN ? "nan" : "\(value)"); nothing was written"
    }
  }

  /// What the user can do, where the command line has an option for it.
  package var remedy: (any Remedy)? { SampleRemedy.lowerScaleOrCheckWeights }
}

extension SampleError {
  /// Throws if a value of `image` is not finite.
  static func check(_ values: [Float], image: Int) throws {
    guard let value = values.first(where: { !$0.isFinite }) else { return }
    throw SampleError.notFinite(image: image, value: value)
  }
}

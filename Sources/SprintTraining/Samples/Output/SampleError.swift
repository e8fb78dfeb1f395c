import SprintFormats

/// What a user can do about samples that cannot be drawn or written.
package enum SampleRemedy: Remedy {
  /// Wait for the other process, or name another file.
  case waitOrNameAnotherFile
  /// Name a folder that is new or empty.
  case nameAnotherFolder
  /// Decode the latents, or write their numbers in a file of another format.
  case decodeOrWriteNumbers
  /// Write the numbers in a file that holds any number of channels.
  case writeNumbers
  /// Write images one by one or as an array, not as one picture.
  case writeImages
  /// Leave the autoencoder out.
  case leaveOutDecoder
  /// Write images, or leave the autoencoder out.
  case writeImagesOrLeaveOutDecoder
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

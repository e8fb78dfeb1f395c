import SprintData
import SprintFormats
import SprintKernels
import SprintVision

extension LatentDecoder {
  /// Opens the autoencoder in a file of weights, and checks that it takes these latents.
  package init(
    path: String, channels: Int, side: Int, _ properties: LatentProperties, in units: Units, of source: String,
    _ workers: Workers
  ) throws {
    throw FileError.unusable(path: path, problem: "no autoencoder yet")
  }

  /// Returns the bytes that a decoder takes beside its results, and the side of its images; nil where it cannot be
  /// opened.
  ///
  /// - Parameter side: s of the latents
  static func memory(path: String, side: Int) -> (bytes: Double, imageSide: Int)? { nil }
}

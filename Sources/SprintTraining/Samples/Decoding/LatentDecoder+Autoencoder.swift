import SprintData
import SprintFormats
import SprintKernels
import SprintVision

extension Autoencoder: ImageDecoder {}

extension LatentDecoder {
  /// Opens the autoencoder in a file or folder of weights, and checks that it takes these latents.
  package init(
    path: String, channels: Int, side: Int, _ properties: LatentProperties, in units: Units, of source: String,
    _ workers: Workers
  ) throws {
    try self.init(
      Autoencoder(path: path, parts: [.decoder]), path: path, channels: channels, side: side, properties, in: units,
      of: source, workers)
  }

  /// Returns the bytes that a decoder takes beside its results, and the side of its images; nil where it cannot be
  /// opened.
  ///
  /// - Parameter side: s of the latents
  static func memory(path: String, side: Int, threads: Int) -> (bytes: Double, imageSide: Int)? {
    guard let decoder = try? Autoencoder(path: path, parts: [.decoder]),
      let files = try? SafetensorsCollection(path: path)
    else { return nil }
    let imageSide = side * decoder.downscale
    let weights = files.paths.reduce(0) { sum, file in sum + ((try? RandomAccessFile(reading: file).size) ?? 0) }
    return (Double(weights + decoder.memoryBytes(side: imageSide, threads: threads)), imageSide)
  }
}

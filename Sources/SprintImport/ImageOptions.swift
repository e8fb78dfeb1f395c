import SprintData
import SprintFormats

/// How to import pictures.
package struct ImageOptions: Sendable, Equatable {
  /// The pixels of a side after cropping.
  package var side: Int?
  /// Whether pictures are turned as their EXIF data say. The published preprocessing of ImageNet does not.
  package var isUpright = true
  /// Whether mirrored images are encoded too, and shown to the teachers.
  package var flips = false
  /// The tokens along a side of what teachers see; nil takes REPA's number.
  package var tokens: Int?

  /// The defaults.
  package init() {}
}

extension NamedEncoder {
  /// Returns the shape of what it makes of images of a shape.
  func shape(of images: SourceShape, flips: Bool, in path: String) throws -> SourceShape {
    guard images.side % encoder.downscale == 0 else {
      throw FileError.unusable(
        path: path,
        problem: "the autoencoder makes a number of \(encoder.downscale) pixels, which do not divide a "
          + "side of \(images.side)", remedy: ImportRemedy.nameSide)
    }
    let side = images.side / encoder.downscale
    return try SourceShape([2 * encoder.latentChannels, side, side], moments: true, flipped: flips)
  }

  /// The published autoencoder whose name is in `name` or, without one, in the path.
  func published(_ name: String?) -> PublishedAutoencoder? {
    PublishedAutoencoder.all.first { (name ?? path).contains($0.name) }
  }

  /// What data sets call the autoencoder: its name, or that of its file, and the beginning of the file's SHA-256.
  func label(_ name: String?) -> String {
    let own = published(name)?.name ?? path.split(separator: "/").last.map(String.init) ?? path
    return "\(name ?? own) (SHA-256 \(encoder.fingerprint.prefix(16)))"
  }
}

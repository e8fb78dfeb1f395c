import Foundation
import SprintFormats

/// The pictures that latents were made of, one a latent, for teachers to look at.
struct PairedPictures: Sendable {
  /// (3, side, side)
  let shape: SourceShape
  private let path: String
  private let pairing: PicturePairing

  private static let depth = 16
  private static let picturesToTry = 16

  /// Finds the picture of each latent; throws unless they have the side from which such latents are made.
  ///
  /// - Parameters:
  ///   - path: the folder of the pictures
  ///   - downscale: pixels of a picture's side for each of a latent's
  init(_ path: String, of latents: any LatentSource, downscale: Int) throws {
    guard FolderListing.isFolder(path) else {
      throw FileError.unusable(
        path: path,
        problem: "is no folder, expected the pictures that the latents were made of, for the teachers to look at; put "
          + "the folder there, or a link to it")
    }
    let found = try SourceFolder(path).walk(depth: Self.depth, PictureName.isOne)
    pairing = try PicturePairing(
      found.files.sorted(by: NameOrder.isBefore), of: (0..<latents.count).map(latents.name), in: path)
    let side = latents.shape.side * downscale
    shape = try SourceShape([3, side, side], moments: false)
    self.path = path
    try checkSize()
  }

  /// Throws where none of the first pictures has the expected size.
  private func checkSize() throws {
    let headers = pairing.names.lazy.compactMap(\.self).prefix(Self.picturesToTry)
      .compactMap { try? PictureHeader(path: "\(path)/\($0)") }
    guard let first = headers.first,
      !headers.contains(where: { ($0.width, $0.height) == (shape.side, shape.side) })
    else { return }
    throw FileError.unusable(
      path: path,
      problem: "holds pictures of \(first.width) x \(first.height) pixels, expected \(shape.side) x \(shape.side), of "
        + "which the latents were made; put those there")
  }

  /// Lines about how the pictures were found.
  var notes: [String] { pairing.notes }

  /// A text that differs between other pairs, as far as the names of the latents do not tell them.
  var contents: String { "\(path) \(pairing.contents)" }

  /// Returns the path of a latent's picture; nil where it is missing.
  func file(_ index: Int) -> String? { pairing.names[index].map { "\(path)/\($0)" } }

  /// Reads the picture of a latent as it is stored, as the published preprocessing does.
  ///
  /// - Parameter values: [3, side, side] in [-1, 1]
  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard let file = file(index) else {
      throw UnfitSample("has no picture in \(path), expected one of the same folder and number")
    }
    let picture = try Picture(reading: file, upright: false)
    guard (picture.width, picture.height) == (shape.side, shape.side) else {
      throw UnfitSample(
        "\(file) has \(picture.width) x \(picture.height) pixels, expected \(shape.side) x \(shape.side), of which the "
          + "latent was made")
    }
    picture.planes(into: values)
  }
}

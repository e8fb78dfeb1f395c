import Crypto
import Foundation
import SprintFormats

/// Images that were drawn so far, in a file beside the one that they are for, so that drawing can be interrupted.
package final class SampleSpool {
  private let file: RandomAccessFile
  private let elements: Int
  private static let headerBytes = 64

  /// Opens the spool of `out`, or begins one where there is none, or one of other images.
  ///
  /// - Parameters:
  ///   - elements: floats of an image
  ///   - recipe: everything that the images depend on
  package init(for out: String, elements: Int, recipe: String) throws {
    (file, self.elements) = (try RandomAccessFile(writing: "\(out).part"), elements)
    let header = Data(SHA256.hash(data: Data(recipe.utf8)).map { String(format: "%02x", $0) }.joined().utf8)
    var found = Data(count: Self.headerBytes)
    let isThere = try file.size >= Self.headerBytes
    if isThere { try found.withUnsafeMutableBytes { try file.read(into: $0, at: 0) } }
    if !isThere || found != header {
      try file.resize(to: 0)
      try header.withUnsafeBytes { try file.write($0, at: 0) }
      try file.sync()
    }
  }

  /// How many whole images there are.
  package var count: Int { max(0, ((try? file.size) ?? 0) - Self.headerBytes) / (elements * 4) }

  private func place(_ image: Int) -> Int { Self.headerBytes + image * elements * 4 }

  /// Keeps the first `count` images alone.
  package func keep(_ count: Int) throws { try file.resize(to: place(count)) }

  /// Appends images and waits until they are on disk.
  package func append(_ images: [[Float]]) throws {
    for (next, image) in zip(count..., images) { try image.withUnsafeBytes { try file.write($0, at: place(next)) } }
    try file.sync()
  }

  /// The first `count` images.
  package func images(_ count: Int) throws -> [[Float]] {
    try (0..<count).map { index in
      var image = [Float](repeating: 0, count: elements)
      try image.withUnsafeMutableBytes { try file.read(into: $0, at: place(index)) }
      return image
    }
  }

  /// Removes the file once its images are where they belong.
  package func remove() { unlink(file.path) }
}

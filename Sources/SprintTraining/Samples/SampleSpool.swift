import Crypto
import Foundation
import SprintFormats

/// Stores the images drawn so far in a file beside the output file, so that an interrupted drawing can go on.
package final class SampleSpool {
  private let lock: ExclusiveLock
  private let file: RandomAccessFile
  private let elements: Int
  private static let headerBytes = 64

  /// Opens the spool of the output file `out`; throws where another process draws for it. A spool that does not exist,
  /// or that holds images of another recipe, starts empty.
  ///
  /// - Parameters:
  ///   - elements: the number of floats in an image
  ///   - recipe: a text of all that the images depend on
  package init(for out: String, elements: Int, recipe: String) throws {
    lock = try ExclusiveLock(path: "\(out).lock", remedy: SampleRemedy.waitOrNameAnotherFile)
    AtomicFile.removeLeftovers(of: out)
    (file, self.elements) = (try RandomAccessFile(writing: "\(out).part"), elements)
    let header = Data(SHA256.hash(data: Data(recipe.utf8)).map { String(format: "%02x", $0) }.joined().utf8)
    var found = Data(count: Self.headerBytes)
    let hasHeader = try file.size >= Self.headerBytes
    if hasHeader { try found.withUnsafeMutableBytes { try file.read(into: $0, at: 0) } }
    if !hasHeader || found != header {
      try file.resize(to: 0)
      try header.withUnsafeBytes { try file.write($0, at: 0) }
      try file.sync()
    }
  }

  /// One line for the user if nothing keeps other processes away from the output.
  package var warning: String? { lock.warning }

  /// The number of complete images.
  package var count: Int { max(0, ((try? file.size) ?? 0) - Self.headerBytes) / (elements * 4) }

  private func place(_ image: Int) -> Int { Self.headerBytes + image * elements * 4 }

  /// Keeps the first `count` images and removes the others.
  package func keep(_ count: Int) throws { try file.resize(to: place(count)) }

  /// Appends images and waits until they are on disk. Throws if a value is not finite; then it appends nothing.
  package func append(_ images: [[Float]]) throws {
    for (next, image) in zip(count..., images) { try SampleError.check(image, image: next) }
    for (next, image) in zip(count..., images) { try image.withUnsafeBytes { try file.write($0, at: place(next)) } }
    try file.sync()
  }

  /// Reads the first `count` images.
  package func images(_ count: Int) throws -> [[Float]] {
    try (0..<count).map { index in
      var image = [Float](repeating: 0, count: elements)
      try image.withUnsafeMutableBytes { try file.read(into: $0, at: place(index)) }
      return image
    }
  }

  /// Removes the spool's file.
  package func remove() { unlink(file.path) }
}

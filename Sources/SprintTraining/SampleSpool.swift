import Crypto
import Foundation
import SprintFormats

/// Images that were drawn so far, in a file beside the one that they are for, so that drawing can be interrupted.
public final class SampleSpool {
  /// Where the images lie.
  public let path: String
  private let elements: Int
  private let descriptor: Int32
  private static let headerBytes = 64

  /// Opens the spool of `out`, or begins one where there is none, or one of other images.
  ///
  /// - Parameters:
  ///   - elements: floats of an image
  ///   - recipe: everything that the images depend on
  public init(for out: String, elements: Int, recipe: String) throws {
    (path, self.elements) = ("\(out).part", elements)
    descriptor = open(path, O_RDWR | O_CREAT, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, "open") }
    let header = Data(SHA256.hash(data: Data(recipe.utf8)).map { String(format: "%02x", $0) }.joined().utf8)
    var found = Data(count: Self.headerBytes)
    let count = found.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    if count != Self.headerBytes || found != header {
      guard ftruncate(descriptor, 0) == 0 else { throw FileError.last(path, "begin") }
      try append(header)
    }
  }

  deinit { close(descriptor) }

  /// How many whole images there are.
  public var count: Int {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    return max(0, size - Self.headerBytes) / (elements * 4)
  }

  /// Keeps the first `count` images alone.
  public func keep(_ count: Int) throws {
    let size = Self.headerBytes + count * elements * 4
    guard ftruncate(descriptor, size) == 0 else { throw FileError.last(path, "shorten") }
  }

  /// Appends images and waits until they are on disk.
  public func append(_ images: [[Float]]) throws {
    try append(images.reduce(into: Data()) { data, image in image.withUnsafeBytes { data.append(contentsOf: $0) } })
  }

  /// The first `count` images.
  public func images(_ count: Int) throws -> [[Float]] {
    try (0..<count).map { index in
      var image = [Float](repeating: 0, count: elements)
      let offset = Self.headerBytes + index * elements * 4
      let got = image.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
      guard got == elements * 4 else { throw FileError.last(path, "read image \(index)") }
      return image
    }
  }

  /// Removes the file once its images are where they belong.
  public func remove() { unlink(path) }

  private func append(_ data: Data) throws {
    lseek(descriptor, 0, SEEK_END)
    try AtomicFile.append(data, to: descriptor, path)
    guard fsync(descriptor) == 0 else { throw FileError.last(path, "sync") }
  }
}

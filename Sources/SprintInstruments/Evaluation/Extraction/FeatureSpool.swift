import Foundation
import SprintFormats

/// Keeps the features computed so far in `PATH.NETWORK.part` beside the images, so that an interrupted evaluation goes
/// on. Features of changed images, or of other weights, are forgotten.
final class FeatureSpool {
  private let lock: ExclusiveLock
  private let file: RandomAccessFile
  private let width: Int
  private static let headerBytes = 64

  /// Opens the spool of a set of images; throws where nothing can be written beside them, or where another evaluation
  /// writes there.
  ///
  /// - Parameter width: the numbers of one image
  init(_ images: any ImageSet, _ network: EvaluationNetwork, width: Int) throws {
    let path = images.path.hasSuffix("/") ? String(images.path.dropLast()) : images.path
    lock = try ExclusiveLock(path: "\(path).\(network.name).lock", remedy: EvaluationRemedy.wait)
    (file, self.width) = (try RandomAccessFile(writing: "\(path).\(network.name).part"), width)
    var sum = Fingerprint.Sum()
    let recipe = "\(network.name) \(network.fingerprint ?? "") \(width) \(images.count) \(try images.stamp)"
    sum.add(Array(recipe.utf8))
    let header = Array(sum.fingerprint.sha256.utf8)
    let found = try file.size >= Self.headerBytes ? try file.bytes(at: 0, count: Self.headerBytes) : []
    guard found != header else { return }
    try file.resize(to: 0)
    try file.write(header, at: 0)
  }

  /// The number of whole images.
  var count: Int { max(0, ((try? file.size) ?? 0) - Self.headerBytes) / (width * 4) }

  private func place(_ image: Int) -> Int { Self.headerBytes + image * width * 4 }

  /// Writes rows of images from `first` on: [n, width].
  func write(_ rows: [[Float]], from first: Int) throws {
    for (image, row) in zip(first..., rows) { try row.withUnsafeBytes { try file.write($0, at: place(image)) } }
  }

  /// Reads rows of images: [n, width].
  func rows(_ range: Range<Int>) throws -> [[Float]] {
    try range.map { image in
      var row = [Float](repeating: 0, count: width)
      try row.withUnsafeMutableBytes { try file.read(into: $0, at: place(image)) }
      return row
    }
  }

  /// Forgets all images but the first `count`.
  func keep(_ count: Int) throws { try file.resize(to: place(count)) }

  /// Removes the file.
  func remove() { unlink(file.path) }
}

import SprintFormats
import SprintTraining

/// Keeps the features computed so far in `PATH.NETWORK.part` beside the images, so that an interrupted evaluation goes
/// on. Features of changed images, or of other weights, are forgotten.
struct FeatureSpool {
  private let records: SampleSpool

  /// Opens the spool of a set of images; throws where nothing can be written beside them, or where another evaluation
  /// writes there.
  ///
  /// - Parameter width: the numbers of one image
  init(_ images: any ImageSet, _ network: EvaluationNetwork, width: Int) throws {
    let path = images.path.hasSuffix("/") ? String(images.path.dropLast()) : images.path
    records = try SampleSpool(
      for: "\(path).\(network.name)", bytes: width * MemoryLayout<Float>.size,
      recipe: "\(network.name) \(network.fingerprint ?? "") \(width) \(images.count) \(try images.stamp)")
  }

  /// The number of whole images.
  var count: Int { records.count }

  /// Forgets all images but the first `count`.
  func keep(_ count: Int) throws { try records.keep(count) }

  /// Appends the rows of the next images: [n, width].
  func append(_ rows: [[Float]]) throws {
    try records.append(rows.flatMap { row in row.withUnsafeBytes { Array($0) } })
  }

  /// Reads rows of images: [n, width].
  func rows(_ range: Range<Int>) throws -> [[Float]] {
    try range.map { image in
      try records.record(image).withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
  }

  /// Removes the file.
  func remove() { records.remove() }
}

import SprintFormats
import SprintKernels

/// Fills pieces: reads the samples of a source, encodes them if they are images to encode, checks and converts them.
struct PieceReader: Sendable {
  let path: String
  let source: any LatentSource
  let conversion: SampleConversion
  /// The number of classes; labels are below it.
  let classes: Int
  /// What turns the images of the source into moments, if anything does.
  let encoder: (any ImageEncoder)?
  /// What pieces hold.
  let stored: SourceShape

  /// Reads samples into a piece of the stored shape.
  func fill(_ piece: ImportPiece, with samples: Range<Int>, _ workers: Workers) throws -> SampleFindings {
    let outcome = PieceOutcome(piece, samples, of: source, in: path)
    if let encoder {
      encode(samples.count, encoder, piece, outcome, workers)
    } else {
      workers.run(tasks: samples.count) { _, place in
        outcome.attempt(place) { try importSample($0, at: place, into: piece) }
      }
    }
    return try outcome.findings()
  }

  /// Imports a sample; returns whether it holds nothing but zeros.
  private func importSample(_ index: Int, at place: Int, into piece: ImportPiece) throws -> Bool {
    let elements = source.shape.elements
    return try withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * elements) { memory in
      let values = UnsafeMutableBufferPointer(rebasing: memory[..<elements])
      let flipped = UnsafeMutableBufferPointer(rebasing: memory[elements...])
      piece.labels[place] = try read(index, into: values, flipped: source.shape.hasFlipped ? flipped : nil)
      let isEmpty = values.allSatisfy { $0 == 0 } || piece.flipped != nil && flipped.allSatisfy { $0 == 0 }
      try conversion.store(values, piece.values, place)
      if let target = piece.flipped { try conversion.store(flipped, target, place) }
      return isEmpty
    }
  }

  /// Reads a sample; returns its class, and throws unless it is one.
  private func read(
    _ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?
  ) throws -> Int64 {
    let label = try source.read(index, into: values, flipped: flipped)
    guard (0..<classes).contains(label) else {
      throw UnfitSample(
        "label \(label), expected 0 to \(classes - 1)", label < 0 ? .countClassesFromZero : .raiseClasses)
    }
    return Int64(label)
  }

  // MARK: Encoding

  /// The most bytes of images that are read before they are encoded.
  private static let batchBytes = 32 << 20

  /// Reads images and encodes them, a batch at a time: each worker reads images, then all of them encode the batch.
  private func encode(
    _ count: Int, _ encoder: any ImageEncoder, _ piece: ImportPiece, _ outcome: PieceOutcome, _ workers: Workers
  ) {
    let most = min(count, max(workers.count, Self.batchBytes / (4 * source.shape.elements)))
    let batch = ImageBatch(count: most, source.shape, stored, encoder)
    for first in stride(from: 0, to: count, by: most) {
      let places = first..<min(first + most, count)
      workers.run(tasks: places.count) { _, i in
        outcome.attempt(places.lowerBound + i) { sample in
          piece.labels[places.lowerBound + i] = try read(sample, into: batch.image(i), flipped: nil)
          return false
        }
      }
      for target in [piece.values, piece.flipped].compactMap(\.self).map(StoredNumbers.init) {
        batch.encode(places.count, workers)
        workers.run(tasks: places.count) { _, i in
          outcome.attempt(places.lowerBound + i) { _ in
            try conversion.store(batch.moments(i), target.bytes, places.lowerBound + i)
            batch.mirror(i)
            return false
          }
        }
      }
    }
  }
}

/// Memory of a piece that several workers fill, each its own samples.
private struct StoredNumbers: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer
}

/// Images to encode together, and their moments.
private struct ImageBatch: Sendable {
  private let source, stored: SourceShape
  private let encoder: any ImageEncoder
  private let pixels, encoded: Arena

  init(count: Int, _ source: SourceShape, _ stored: SourceShape, _ encoder: any ImageEncoder) {
    (self.source, self.stored, self.encoder) = (source, stored, encoder)
    (pixels, encoded) = (Arena(count: count * source.elements), Arena(count: count * stored.elements))
  }

  /// [3, side, side]
  func image(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    pixels.elements[index * source.elements..<(index + 1) * source.elements].buffer
  }

  /// [2C, S, S]
  func moments(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    encoded.elements[index * stored.elements..<(index + 1) * stored.elements].buffer
  }

  /// Encodes the first `count` images.
  func encode(_ count: Int, _ workers: Workers) {
    encoder.encode(
      UnsafeBufferPointer(pixels.elements[0..<count * source.elements].buffer), side: source.side,
      into: encoded.elements[0..<count * stored.elements].buffer, workers)
  }

  /// Exchanges left and right of an image.
  func mirror(_ index: Int) {
    let image = image(index)
    for row in stride(from: 0, to: image.count, by: source.side) { image[row..<row + source.side].reverse() }
  }
}

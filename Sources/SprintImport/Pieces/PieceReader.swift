import SprintFormats
import SprintKernels

/// Fills pieces: reads the samples of a source, checks and converts them; images are encoded and shown to teachers, if
/// there are any. The images are the samples, or the pictures that the samples were made of.
struct PieceReader: Sendable {
  let path: String
  let source: any LatentSource
  let conversion: SampleConversion
  /// The number of classes; labels are below it.
  let classes: Int
  /// What turns the images of the source into moments, if anything does.
  let encoder: (any ImageEncoder)?
  /// What looks at the images of the source.
  let teachers: [ImportTeacher]
  /// The latents that pieces hold.
  let stored: SourceShape
  /// Whether the mirrored images are encoded and shown to the teachers too.
  let isMirrored: Bool

  /// (3, side, side) of the images
  private var imageShape: SourceShape { source.pictures?.shape ?? source.shape }

  /// Whether networks look at the samples, so that a piece may take minutes.
  var isSlow: Bool { encoder != nil || !teachers.isEmpty }

  /// Reads samples into a piece of the stored shape.
  ///
  /// - Parameter goOn: called now and then with the number of finished samples; false stops the work
  /// - Returns: nil if it was stopped
  func fill(
    _ piece: ImportPiece, with samples: Range<Int>, _ workers: Workers, goOn: (_ finished: Int) -> Bool
  ) throws -> SampleFindings? {
    let outcome = PieceOutcome(piece, samples, of: source, in: path)
    if isSlow {
      guard importImages(samples.count, into: piece, outcome, workers, goOn) else { return nil }
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
      let isEmpty = values.allSatisfy { $0 == 0 } || stored.hasFlipped && flipped.allSatisfy { $0 == 0 }
      try conversion.store(values, piece[stored.setName(mirrored: false)], place)
      if stored.hasFlipped { try conversion.store(flipped, piece[stored.setName(mirrored: true)], place) }
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

  // MARK: Images

  /// Imports images a batch at a time: each worker reads images, then all of them work on the batch.
  ///
  /// - Returns: false if it was stopped
  private func importImages(
    _ count: Int, into piece: ImportPiece, _ outcome: PieceOutcome, _ workers: Workers, _ goOn: (Int) -> Bool
  ) -> Bool {
    let most = min(count, 2 * workers.count)
    let batch = ImageBatch(count: most, imageShape, encoded: encoder == nil ? nil : stored)
    for first in stride(from: 0, to: count, by: most) {
      let places = first..<min(first + most, count)
      workers.run(tasks: places.count) { _, i in
        outcome.attempt(places.lowerBound + i) {
          try readImage($0, at: places.lowerBound + i, into: batch.image(i), piece)
        }
      }
      for mirrored in isMirrored ? [false, true] : [false] {
        if mirrored { workers.run(tasks: places.count) { batch.mirror($1) } }
        if source.pictures == nil { storeLatents(of: batch, places, mirrored, into: piece, outcome, workers) }
        for teacher in teachers { show(batch, places, mirrored, to: teacher, into: piece, outcome, workers) }
      }
      guard goOn(places.upperBound) || places.upperBound == count else { return false }
    }
    return true
  }

  /// Reads an image and its class. One that belongs to a sample is read after it, and the sample is stored.
  ///
  /// - Returns: whether the sample holds nothing but zeros; of images always false
  private func readImage(
    _ index: Int, at place: Int, into image: UnsafeMutableBufferPointer<Float>, _ piece: ImportPiece
  ) throws -> Bool {
    guard let pictures = source.pictures else {
      piece.labels[place] = try read(index, into: image, flipped: nil)
      return false
    }
    let isEmpty = try importSample(index, at: place, into: piece)
    try pictures.read(index, into: image)
    return isEmpty
  }

  /// Stores the moments of the images, or without an encoder the images, which need no mirrored twins.
  private func storeLatents(
    of batch: ImageBatch, _ places: Range<Int>, _ mirrored: Bool, into piece: ImportPiece, _ outcome: PieceOutcome,
    _ workers: Workers
  ) {
    if mirrored, !stored.hasFlipped { return }
    if let encoder { batch.encode(places.count, encoder, workers) }
    workers.run(tasks: places.count) { _, i in
      outcome.attempt(places.lowerBound + i) { _ in
        let values = encoder == nil ? batch.image(i) : batch.moments(i)
        try conversion.store(values, piece[stored.setName(mirrored: mirrored)], places.lowerBound + i)
        return false
      }
    }
  }

  /// Stores what a teacher says of the images.
  private func show(
    _ batch: ImageBatch, _ places: Range<Int>, _ mirrored: Bool, to teacher: ImportTeacher, into piece: ImportPiece,
    _ outcome: PieceOutcome, _ workers: Workers
  ) {
    teacher.look(at: places.count, mirrored: mirrored, workers) {
      Picture(planes: batch.image($0), side: imageShape.side)
    } store: { i, entries in
      outcome.attempt(places.lowerBound + i) { _ in
        for var entry in entries {
          let conversion = SampleConversion(secondHalf: nil, isSure: true, isHalf: entry.isHalf)
          try entry.values.withUnsafeMutableBufferPointer {
            try conversion.store($0, piece[entry.set], places.lowerBound + i)
          }
        }
        return false
      }
    }
  }
}

/// Images to work on together, and their moments.
private struct ImageBatch: Sendable {
  private let source: SourceShape
  private let encoded: SourceShape?
  private let pixels, latents: Arena

  /// - Parameter encoded: the shape of the moments; nil without an encoder
  init(count: Int, _ source: SourceShape, encoded: SourceShape?) {
    (self.source, self.encoded) = (source, encoded)
    (pixels, latents) = (Arena(count: count * source.elements), Arena(count: count * (encoded?.elements ?? 0)))
  }

  /// [3, side, side]
  func image(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    pixels.elements[index * source.elements..<(index + 1) * source.elements].buffer
  }

  /// [2C, S, S]
  func moments(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    let elements = encoded?.elements ?? 0
    return latents.elements[index * elements..<(index + 1) * elements].buffer
  }

  /// Encodes the first `count` images.
  func encode(_ count: Int, _ encoder: any ImageEncoder, _ workers: Workers) {
    encoder.encode(
      UnsafeBufferPointer(pixels.elements[0..<count * source.elements].buffer), side: source.side,
      into: latents.elements[0..<count * (encoded?.elements ?? 0)].buffer, workers)
  }

  /// Exchanges left and right of an image.
  func mirror(_ index: Int) {
    let image = image(index)
    for row in stride(from: 0, to: image.count, by: source.side) { image[row..<row + source.side].reverse() }
  }
}

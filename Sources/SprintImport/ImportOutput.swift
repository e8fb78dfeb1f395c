import SprintData
import Foundation
import SprintFormats

/// The data set that an import writes: `OUT.partial`, laid out in full at once and filled piece by piece, and `OUT.progress`, which tells
/// what pieces are there.
struct ImportOutput: Sendable {
  private let path: String
  private let count: Int
  private let shape: SourceShape
  private let isHalf: Bool
  private let properties: LatentProperties
  private let source, recipe: String
  private let pieceSamples: Int

  init(
    _ path: String, samples: Int, _ shape: SourceShape, isHalf: Bool, _ properties: LatentProperties, source: String,
    recipe: String
  ) {
    (self.path, count, self.shape, self.isHalf, self.properties) = (path, samples, shape, isHalf, properties)
    (self.source, self.recipe) = (source, recipe)
    pieceSamples = max(1, 16 << 20 / (shape.elements * 4 * (shape.hasFlipped ? 2 : 1)))
  }

  private var partial: String { "\(path).partial" }
  private var progress: String { "\(path).progress" }
  private var names: (values: String, flipped: String) {
    shape.hasMoments ? ("/moments", "/moments_flip") : ("/latents", "/latents_flip")
  }

  /// How many pieces there are.
  var pieces: Int { (count + pieceSamples - 1) / pieceSamples }

  /// The samples of a piece.
  func samples(ofPiece index: Int) -> Range<Int> { index * pieceSamples..<min((index + 1) * pieceSamples, count) }

  /// Lays out the file, unless one of the same import is there already.
  func prepare() throws {
    if FileManager.default.fileExists(atPath: partial), let file = try? RandomAccessFile(reading: progress),
      let found = try? file.contents(), found.count == recipe.utf8.count + pieces, found.starts(with: recipe.utf8)
    {
      return
    }
    remove()
    try AtomicFile.checkWritable(path)
    try layOut()
    // The disk's room is taken now, so that one that is too small is found before hours of work.
    try RandomAccessFile(writing: partial).claim()
    try AtomicFile.write(Data(recipe.utf8) + Data(count: pieces), to: progress)
  }

  private func layOut() throws {
    let file = try HDF5File(creating: partial)
    let element = HDF5File.Element.float(isHalf ? 2 : 4)
    _ = try file.reserve(names.values, shape: [count] + shape.extents, of: element)
    if shape.hasFlipped { _ = try file.reserve(names.flipped, shape: [count] + shape.extents, of: element) }
    _ = try file.reserve("/labels", shape: [count], of: .integer)
    try file.write(properties)
    try file.write(attribute: "source", source)
    try file.flush()
  }

  /// Opens what was laid out; every rank has it open at once.
  func open() throws -> Opened {
    let layout = try HDF5File(reading: partial)
    func place(_ name: String) throws -> Int {
      guard let offset = try layout.describe(name).offset else {
        preconditionFailure("\(name) was laid out in one piece")
      }
      return offset
    }
    let progress = try RandomAccessFile(writing: progress)
    let marks = try progress.contents().dropFirst(recipe.utf8.count)
    return Opened(
      data: try RandomAccessFile(writing: partial), progress: progress, marks: recipe.utf8.count,
      missingPieces: marks.enumerated().filter { $1 == 0 }.map(\.offset), pieceSamples: pieceSamples,
      values: try place(names.values), flipped: shape.hasFlipped ? try place(names.flipped) : nil,
      labels: try place("/labels"))
  }

  /// The file under its own name.
  func finish() throws {
    try AtomicFile.put(partial, at: path)
    unlink(progress)
  }

  /// Nothing is left.
  func remove() {
    unlink(partial)
    unlink(progress)
  }

  /// The files that are filled.
  struct Opened: Sendable {
    fileprivate let data, progress: RandomAccessFile
    fileprivate let marks: Int
    let missingPieces: [Int]
    fileprivate let pieceSamples: Int
    fileprivate let values: Int
    fileprivate let flipped: Int?
    fileprivate let labels: Int

    /// Writes a piece, and notes it once it is on disk.
    func write(_ piece: ImportPiece, _ index: Int) throws {
      let first = index * pieceSamples
      func put(_ source: UnsafeRawBufferPointer, _ start: Int) throws {
        try data.write(source, at: start + first * (source.count / piece.count))
      }
      try put(UnsafeRawBufferPointer(piece.values), values)
      if let source = piece.flipped, let flipped { try put(UnsafeRawBufferPointer(source), flipped) }
      try put(UnsafeRawBufferPointer(piece.labels), labels)
      try data.sync()
      try progress.write([1], at: marks + index)
    }
  }
}

/// Memory for the samples of one piece as they are stored.
final class ImportPiece: @unchecked Sendable {
  let count: Int
  /// [count, stored, S, S] float16 or float32.
  let values: UnsafeMutableRawBufferPointer
  let flipped: UnsafeMutableRawBufferPointer?
  let labels: UnsafeMutableBufferPointer<Int64>

  init(_ count: Int, _ shape: SourceShape, isHalf: Bool) {
    self.count = count
    let bytes = count * shape.elements * (isHalf ? 2 : 4)
    values = .allocate(byteCount: bytes, alignment: 64)
    flipped = shape.hasFlipped ? .allocate(byteCount: bytes, alignment: 64) : nil
    labels = .allocate(capacity: count)
  }

  deinit {
    values.deallocate()
    flipped?.deallocate()
    labels.deallocate()
  }
}

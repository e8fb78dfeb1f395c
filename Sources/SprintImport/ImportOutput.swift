import Foundation
import SprintData
import SprintFormats

/// The data set that an import writes. `OUT.partial` has its final size from the start and is filled piece by piece;
/// `OUT.progress` lists the finished pieces.
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

  /// The number of pieces.
  var pieces: Int { (count + pieceSamples - 1) / pieceSamples }

  /// Returns the samples of a piece.
  func samples(ofPiece index: Int) -> Range<Int> { index * pieceSamples..<min((index + 1) * pieceSamples, count) }

  /// Keeps other imports from the output; throws where one is under way or has just ended.
  func lock() throws -> ExclusiveLock {
    let lock = try ExclusiveLock(path: "\(path).lock", remedy: ImportRemedy.waitOrNameAnotherOutput)
    guard !FileManager.default.fileExists(atPath: path) else {
      throw FileError.unusable(path: path, problem: "already exists; remove it, or name another file")
    }
    return lock
  }

  /// Lays out the file, unless an interrupted import with the same recipe has left one to continue.
  func prepare() throws {
    if FileManager.default.fileExists(atPath: partial), let file = try? RandomAccessFile(reading: progress),
      let found = try? file.contents(), found.count == recipe.utf8.count + pieces, found.starts(with: recipe.utf8)
    {
      return
    }
    remove()
    try AtomicFile.checkWritable(path)
    try layOut()
    // Claims the room on the disk now, so that a full disk shows before hours of work.
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

  /// Opens the file that `prepare` laid out; all ranks have it open at the same time.
  func open() throws -> Opened {
    let layout = try HDF5File(reading: partial)
    func place(of name: String) throws -> Int {
      guard let offset = try layout.describe(name).offset else {
        preconditionFailure("\(name) is contiguous")
      }
      return offset
    }
    let progress = try RandomAccessFile(writing: progress)
    let marks = try progress.contents().dropFirst(recipe.utf8.count)
    return Opened(
      data: try RandomAccessFile(writing: partial), progress: progress, marks: recipe.utf8.count,
      missingPieces: marks.enumerated().filter { $1 == 0 }.map(\.offset), pieceSamples: pieceSamples,
      values: try place(of: names.values), flipped: shape.hasFlipped ? try place(of: names.flipped) : nil,
      labels: try place(of: "/labels"))
  }

  /// Gives the finished file its own name.
  func finish() throws {
    try AtomicFile.put(partial, at: path)
    unlink(progress)
  }

  /// Removes both files.
  func remove() {
    unlink(partial)
    unlink(progress)
  }

  /// Both files, open for writing.
  struct Opened: Sendable {
    fileprivate let data, progress: RandomAccessFile
    fileprivate let marks: Int
    let missingPieces: [Int]
    fileprivate let pieceSamples: Int
    fileprivate let values: Int
    fileprivate let flipped: Int?
    fileprivate let labels: Int

    /// Writes a piece, and marks it as finished once it is on disk.
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

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
  private let source: String
  private let pieceSamples: Int
  private let progress: ImportProgress

  init(
    _ path: String, samples: Int, _ shape: SourceShape, isHalf: Bool, _ properties: LatentProperties, source: String,
    recipe: String
  ) {
    (self.path, count, self.shape, self.isHalf, self.properties) = (path, samples, shape, isHalf, properties)
    self.source = source
    pieceSamples = max(1, 16 << 20 / (shape.elements * 4 * (shape.hasFlipped ? 2 : 1)))
    progress = ImportProgress(
      path: "\(path).progress", recipe: recipe, pieces: (samples + pieceSamples - 1) / pieceSamples)
  }

  private var partial: String { "\(path).partial" }
  private var names: (values: String, flipped: String) {
    shape.hasMoments ? ("/moments", "/moments_flip") : ("/latents", "/latents_flip")
  }

  /// The number of pieces.
  var pieces: Int { progress.pieces }

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

  /// Lays out the file, unless an interrupted import with the same recipe has left one to continue. Forgets finished
  /// pieces whose source has changed since, and returns their number.
  ///
  /// - Parameter mark: returns the mark of a piece as its source is now
  func prepare(_ mark: (_ piece: Int) -> ImportProgress.Mark) throws -> Int {
    if FileManager.default.fileExists(atPath: partial), let marks = progress.marks() {
      let changed = marks.indices.filter { marks[$0] != .missing && marks[$0] != mark($0) }
      guard !changed.isEmpty else { return 0 }
      let file = try progress.open()
      for piece in changed { try progress.set(.missing, ofPiece: piece, in: file) }
      return changed.count
    }
    remove()
    try AtomicFile.checkWritable(path)
    try layOut()
    // Claims the room on the disk now, so that a full disk shows before hours of work.
    try RandomAccessFile(writing: partial).claim()
    try progress.create()
    return 0
  }

  /// Whether a piece is finished.
  var hasFinishedPieces: Bool { progress.marks()?.contains { $0 != .missing } ?? false }

  private func layOut() throws {
    let file = try HDF5File(creating: partial)
    let element = isHalf ? HDF5File.Element.float16 : .float32
    _ = try file.reserve(names.values, shape: [count] + shape.extents, of: element)
    if shape.hasFlipped { _ = try file.reserve(names.flipped, shape: [count] + shape.extents, of: element) }
    _ = try file.reserve("/labels", shape: [count], of: .int64)
    try file.write(properties)
    try file.write(attribute: "source", source)
    try file.close()
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
    guard let marks = progress.marks() else {
      throw FileError.unusable(path: progress.path, problem: "has changed while the import was starting")
    }
    return Opened(
      data: try RandomAccessFile(writing: partial), progress: progress, marks: try progress.open(),
      missingPieces: marks.indices.filter { marks[$0] == .missing }, pieceSamples: pieceSamples,
      values: try place(of: names.values), flipped: shape.hasFlipped ? try place(of: names.flipped) : nil,
      labels: try place(of: "/labels"))
  }

  /// Gives the finished file its own name.
  func finish() throws {
    try AtomicFile.put(partial, at: path)
    unlink(progress.path)
  }

  /// Removes both files.
  func remove() {
    unlink(partial)
    unlink(progress.path)
  }

  /// Both files, open for writing.
  struct Opened: Sendable {
    fileprivate let data: RandomAccessFile
    fileprivate let progress: ImportProgress
    fileprivate let marks: RandomAccessFile
    let missingPieces: [Int]
    fileprivate let pieceSamples: Int
    fileprivate let values: Int
    fileprivate let flipped: Int?
    fileprivate let labels: Int

    /// Writes a piece, and marks it as finished once it is on disk.
    func write(_ piece: ImportPiece, _ index: Int, _ mark: ImportProgress.Mark) throws {
      let first = index * pieceSamples
      func put(_ source: UnsafeRawBufferPointer, _ start: Int) throws {
        try data.write(source, at: start + first * (source.count / piece.count))
      }
      try put(UnsafeRawBufferPointer(piece.values), values)
      if let source = piece.flipped, let flipped { try put(UnsafeRawBufferPointer(source), flipped) }
      try put(UnsafeRawBufferPointer(piece.labels), labels)
      try data.sync()
      try progress.set(mark, ofPiece: index, in: marks)
    }
  }
}

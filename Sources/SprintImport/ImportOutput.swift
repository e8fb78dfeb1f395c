import Foundation
import SprintData
import SprintFormats

/// The data set that an import writes. `OUT.partial` has its final size from the start and is filled piece by piece;
/// `OUT.progress` lists the finished pieces.
struct ImportOutput: Sendable {
  private let path: String
  private let count: Int
  private let sets: [ImportedSet]
  private let properties: LatentProperties
  private let source: String
  private let classNames: [String]
  private let pieceSamples: Int
  private let progress: ImportProgress

  /// - Parameters:
  ///   - sets: what it holds, `ImportedSet.labels` among it
  ///   - recipe: a text that stands for what the import makes
  init(
    _ path: String, samples: Int, _ sets: [ImportedSet], _ properties: LatentProperties, source: String,
    classNames: [String], pieceSamples: Int, recipe: String
  ) {
    (self.path, count, self.sets, self.properties) = (path, samples, sets, properties)
    (self.source, self.classNames, self.pieceSamples) = (source, classNames, pieceSamples)
    progress = ImportProgress(
      path: "\(path).progress", recipe: recipe, pieces: (samples + pieceSamples - 1) / pieceSamples)
  }

  private var partial: String { "\(path).partial" }

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
  /// pieces whose source has changed since, or that lack samples, and returns their number.
  ///
  /// - Parameters:
  ///   - keepsGaps: whether pieces may lack samples that cannot be used
  ///   - mark: returns the mark of a piece as its source is now
  func prepare(keepsGaps: Bool, _ mark: (_ piece: Int) -> ImportProgress.Mark) throws -> Int {
    if FileManager.default.fileExists(atPath: partial), let marks = progress.marks() {
      let lacking = keepsGaps || !hasFinishedPieces ? [] : Set(try samplesLeftOut().map { $0 / pieceSamples })
      let changed = marks.indices.filter {
        marks[$0] != .missing && (lacking.contains($0) || marks[$0] != mark($0))
      }
      guard !changed.isEmpty else { return 0 }
      let file = try progress.open()
      for piece in changed { try progress.set(.missing, ofPiece: piece, in: file) }
      return changed.count
    }
    remove()
    try AtomicFile.checkWritable(path)
    try layOut(partial, count)
    // Claims the room on the disk now, so that a full disk shows before hours of work.
    try RandomAccessFile(writing: partial).claim()
    try progress.create()
    return 0
  }

  /// Whether a piece is finished.
  var hasFinishedPieces: Bool { progress.marks()?.contains { $0 != .missing } ?? false }

  private func layOut(_ path: String, _ count: Int) throws {
    let file = try HDF5File(creating: path)
    for set in sets { try set.reserve(in: file, count: count) }
    try file.write(properties)
    try file.write(attribute: "source", source)
    if !classNames.isEmpty { try file.write(LatentDataset.classNames, texts: classNames) }
    try file.close()
  }

  /// A data set of a file that `layOut` made, and where its entries begin.
  fileprivate typealias Place = (set: ImportedSet, start: Int)

  private func places(in path: String) throws -> [Place] {
    let layout = try HDF5File(reading: path)
    return try sets.map { set in
      guard let start = try layout.describe(set.name).offset else {
        preconditionFailure("\(set.name) is contiguous")
      }
      return (set, start)
    }
  }

  /// Opens the file that `prepare` laid out; all ranks have it open at the same time.
  func open() throws -> Opened {
    guard let marks = progress.marks() else {
      throw FileError.unusable(path: progress.path, problem: "has changed while the import was starting")
    }
    return Opened(
      data: try RandomAccessFile(writing: partial), progress: progress, marks: try progress.open(),
      missingPieces: marks.indices.filter { marks[$0] == .missing }, pieceSamples: pieceSamples,
      places: try places(in: partial))
  }

  /// Gives the finished file its own name; leaves out the samples that are marked so.
  ///
  /// - Returns: the samples that are left out, in ascending order
  func finish() throws -> [Int] {
    let gaps = try samplesLeftOut()
    if gaps.isEmpty {
      try AtomicFile.put(partial, at: path)
    } else {
      try AtomicFile.create(path) { try copy(to: $0, without: gaps) }
    }
    remove()
    return gaps
  }

  /// Returns the samples of the partial file that are marked as left out, in ascending order.
  private func samplesLeftOut() throws -> [Int] {
    let labels = try HDF5File(reading: partial).integers("/labels")
    return labels.indices.filter { labels[$0] == ImportPiece.leftOut }
  }

  /// Copies all samples of the partial file but some into a new file.
  private func copy(to target: String, without gaps: [Int]) throws {
    try layOut(target, count - gaps.count)
    let (from, to) = (try places(in: partial), try places(in: target))
    let (source, copy) = (try RandomAccessFile(reading: partial), try RandomAccessFile(writing: target))
    try copy.claim()
    var next = 0
    for (start, end) in zip([0] + gaps.map { $0 + 1 }, gaps + [count]) where start < end {
      for (from, to) in zip(from, to) {
        let bytes = from.set.bytes
        try source.copy(
          (end - start) * bytes, from: from.start + start * bytes, to: copy, at: to.start + next * bytes)
      }
      next += end - start
    }
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
    fileprivate let places: [Place]

    /// Writes a piece, and marks it as finished once it is on disk.
    func write(_ piece: ImportPiece, _ index: Int, _ mark: ImportProgress.Mark) throws {
      for (set, start) in places {
        try data.write(UnsafeRawBufferPointer(piece[set.name]), at: start + index * pieceSamples * set.bytes)
      }
      try data.sync()
      try progress.set(mark, ofPiece: index, in: marks)
    }
  }
}

import Crypto
import Foundation
import SprintFormats
import SprintKernels
import Synchronization

/// `OUT.progress`: a text that stands for what an import makes, and for each piece a mark once it is finished.
struct ImportProgress: Sendable {
  /// What a piece was made from: a digest of the names, sizes and times of its files. Nothing but zeros stands for a
  /// piece that is missing.
  struct Mark: Sendable, Equatable {
    static let length = 32
    static let missing = Mark(bytes: Array(repeating: 0, count: length))
    fileprivate let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    fileprivate init(_ bytes: some Sequence<UInt8>) { self.init(bytes: Array(bytes)) }

    /// Looks at the files of some samples of a source.
    init(_ samples: Range<Int>, of source: any LatentSource, _ workers: Workers) {
      let stamps = Mutex([String](repeating: "", count: samples.count))
      workers.run(tasks: samples.count) { _, i in
        let files = source.files(samples.lowerBound + i)
        // Many samples may be of one file.
        let isSame = i > 0 && source.files(samples.lowerBound + i - 1) == files
        let stamp = isSame ? "" : files.map { "\($0) \(Self.stamp($0))\n" }.joined()
        stamps.withLock { $0[i] = stamp }
      }
      self.init(SHA256.hash(data: Data(stamps.withLock { $0.joined() }.utf8)))
    }

    private static func stamp(_ path: String) -> String {
      (try? FileStamp(path: path))?.description ?? "cannot be read"
    }
  }

  let path, recipe: String
  let pieces: Int

  /// The marks of all pieces; nil if the file is missing or of an import with another recipe.
  func marks() -> [Mark]? {
    guard let file = try? RandomAccessFile(reading: path), let found = try? file.contents(),
      found.count == recipe.utf8.count + pieces * Mark.length, found.starts(with: recipe.utf8)
    else { return nil }
    let marks = found.dropFirst(recipe.utf8.count)
    return (0..<pieces).map { Mark(marks.dropFirst($0 * Mark.length).prefix(Mark.length)) }
  }

  /// Writes the file of an import that has no finished piece.
  func create() throws { try AtomicFile.write(Data(recipe.utf8) + Data(count: pieces * Mark.length), to: path) }

  /// Opens the file for `set`.
  func open() throws -> RandomAccessFile { try RandomAccessFile(writing: path) }

  /// Sets the mark of a piece.
  func set(_ mark: Mark, ofPiece index: Int, in file: RandomAccessFile) throws {
    try file.write(mark.bytes, at: recipe.utf8.count + index * Mark.length)
  }
}

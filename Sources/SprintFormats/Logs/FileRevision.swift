import Foundation

/// A new version of a file: parts of the old one, in their order, with additions between them. A file that only gets
/// shorter is cut off in place; else the new version is written beside the old one and replaces it once it is whole.
/// This takes the same memory for a file of any length.
package final class FileRevision {
  private let file: RandomAccessFile
  /// As long as nothing else is written, the new version is the beginning of the old one up to here.
  private var prefix = 0
  private var copy: (file: RandomAccessFile, path: String, end: Int)?
  /// The end of what is kept but not copied yet.
  private var kept = 0..<0

  /// Begins with an empty version.
  package init(of file: RandomAccessFile) { self.file = file }

  deinit { if let copy { unlink(copy.path) } }

  /// Keeps a part of the file that comes after everything kept before.
  package func keep(_ range: Range<Int>) throws {
    if copy == nil, range.lowerBound == prefix {
      prefix = range.upperBound
    } else if copy != nil, range.lowerBound == kept.upperBound {
      kept = kept.lowerBound..<range.upperBound
    } else {
      try beginCopy()
      try copyKept()
      kept = range
    }
  }

  /// Adds bytes after everything kept before.
  package func add(_ data: Data) throws {
    try beginCopy()
    try copyKept()
    try append(data)
  }

  /// Puts the new version in place of the old one.
  package func finish() throws {
    guard copy != nil else {
      if try prefix < file.size { try file.resize(to: prefix) }
      return
    }
    try copyKept()
    if let copy { try AtomicFile.put(copy.path, at: file.path) }
    copy = nil
  }

  private func beginCopy() throws {
    guard copy == nil else { return }
    let path = TemporaryName.beside(file.path)
    copy = (try RandomAccessFile(creating: path), path, 0)
    kept = 0..<prefix
  }

  private func copyKept() throws {
    try file.forEachPiece(of: kept, append)
    kept = kept.upperBound..<kept.upperBound
  }

  private func append(_ data: Data) throws {
    guard let (file, _, end) = copy else { return }
    try data.withUnsafeBytes { try file.write($0, at: end) }
    copy?.end += data.count
  }
}

extension RandomAccessFile {
  /// Calls `body` with the bytes of a part of the file, a piece at a time.
  package func forEachPiece(of range: Range<Int>, _ body: (Data) throws -> Void) throws {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 20) {
      var piece = Data(count: min(1 << 20, range.upperBound - start))
      try piece.withUnsafeMutableBytes { try read(into: $0, at: start) }
      try body(piece)
    }
  }
}

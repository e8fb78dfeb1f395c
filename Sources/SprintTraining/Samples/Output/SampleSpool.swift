import Crypto
import Foundation
import SprintFormats

/// Stores what an output will hold of the images made so far in a file beside it, so that interrupted work can go on.
package final class SampleSpool: Sendable {
  private let lock: ExclusiveLock
  private let file: RandomAccessFile
  private let bytes: Int
  /// Whether the spool starts empty, for a new recipe.
  package let isNew: Bool
  private static let headerBytes = 64

  /// Opens the spool of the output file `out`; throws where another process draws for it. A spool that does not exist,
  /// or that holds images of another recipe, starts empty.
  ///
  /// - Parameters:
  ///   - bytes: the number of bytes of a record, one for each image
  ///   - recipe: a text of all that the records depend on
  package init(for out: String, bytes: Int, recipe: String) throws {
    lock = try ExclusiveLock(path: "\(out).lock", remedy: SampleRemedy.waitOrNameAnotherFile)
    AtomicFile.removeLeftovers(of: out)
    (file, self.bytes) = (try RandomAccessFile(writing: "\(out).part"), bytes)
    let header = Data(SHA256.hash(data: Data(recipe.utf8)).map { String(format: "%02x", $0) }.joined().utf8)
    let found = try file.bytes(at: 0, count: min(Self.headerBytes, file.size))
    isNew = Data(found) != header
    if isNew {
      try file.resize(to: 0)
      try header.withUnsafeBytes { try file.write($0, at: 0) }
      try file.sync()
    }
  }

  /// One line for the user if nothing keeps other processes away from the output.
  package var warning: String? { lock.warning }

  /// The number of complete records.
  package var count: Int { max(0, ((try? file.size) ?? 0) - Self.headerBytes) / bytes }

  private func place(_ image: Int) -> Int { Self.headerBytes + image * bytes }

  /// Keeps the first `count` records and removes the others.
  package func keep(_ count: Int) throws { try file.resize(to: place(count)) }

  /// Appends whole records and waits until they are on disk.
  package func append(_ records: [UInt8]) throws {
    precondition(records.count % bytes == 0, "\(records.count) bytes are no records of \(bytes)")
    let next = count
    try records.withUnsafeBytes { all in
      for image in 0..<records.count / bytes {
        let record = UnsafeRawBufferPointer(rebasing: all[image * bytes..<(image + 1) * bytes])
        try file.write(record, at: place(next + image))
      }
    }
    try file.sync()
  }

  /// Fills memory with the bytes of all records, one after another, from an offset on.
  package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    try file.read(into: target, at: Self.headerBytes + offset)
  }

  /// Returns the record of an image.
  package func record(_ image: Int) throws -> [UInt8] { try file.bytes(at: place(image), count: bytes) }

  /// Removes the spool's file.
  package func remove() { unlink(file.path) }
}

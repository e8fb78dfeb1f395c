import Foundation

/// An array of an npz archive, read entry by entry along its first extent, so that memory does not grow with their
/// number. One thread at a time reads.
package final class NPYReader {
  /// The type of the elements.
  package let element: NumberType
  /// The extents, outermost first.
  package let shape: [Int]
  /// Bytes of one entry.
  package let entryBytes: Int
  private let reader: ZipEntryReader
  private let start: Int

  /// Opens the array `name` and checks that the archive holds all of its elements.
  package init(_ archive: ZipArchive, _ name: String) throws {
    func malformed(_ problem: String) -> FileError { .unusable(path: archive.path, problem: "`\(name)`: \(problem)") }
    let reader = try ZipEntryReader(archive, "\(name).npy")
    var head = [UInt8](repeating: 0, count: min(reader.size, NPYSummary.headBytes))
    try head.withUnsafeMutableBytes { try reader.read(into: $0, at: 0) }
    let range = try NPYArray.headerRange(of: Data(head), malformed)
    let header = try NPYHeader(Array(head[range])) { malformed("its npy header \($0)") }
    self.reader = reader
    (element, shape, start) = (header.element, header.shape, range.upperBound)
    entryBytes = header.shape.dropFirst().reduce(header.element.size, *)
    let (found, needed) = (reader.size - start, header.count * header.element.size)
    guard found == needed else {
      throw malformed("\(found) bytes of elements, \(header.shape) of \(header.elementName) need \(needed)")
    }
    guard !header.isBigEndian else { throw malformed("is big-endian; save x.astype(x.dtype.newbyteorder('<'))") }
  }

  /// Reads entry `index` along the first extent.
  package func read(_ index: Int, into target: UnsafeMutableRawBufferPointer) throws {
    precondition(target.count == entryBytes && shape.first.map { index < $0 } == true, "entry \(index) of \(shape)")
    try reader.read(into: target, at: start + index * entryBytes)
  }
}

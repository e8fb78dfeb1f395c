import Foundation

/// An LMDB database of unsorted keys and single values, opened for reading. Any thread may read.
///
/// LMDB's own library maps the file and follows the offsets in it without a look at them, so that a damaged file ends
/// the process. This reader follows a key from the root to its leaf and checks each page that it meets. Version 1 of
/// the format, with addresses of 64 bits.
package final class LMDBDatabase: Sendable {
  /// The database: a folder with `data.mdb`, or a file.
  package let path: String
  /// The file that holds the pages.
  package var dataPath: String { file.path }
  private let file: RandomAccessFile
  private let pageSize, pageCount: Int
  /// The page at which each search begins; nil for an empty database.
  private let root: UInt64?
  /// The number of keys.
  package let entries: UInt64

  /// The deepest tree that LMDB makes.
  private static let deepest = 32

  /// Opens the database in a folder, or in a file. Throws `FileError` for a damaged or truncated one.
  package init(reading path: String) throws {
    self.path = path
    file = try RandomAccessFile(reading: FolderListing.isFolder(path) ? "\(path)/data.mdb" : path)
    let size = try file.size
    let first: LMDBMeta
    do { first = try LMDBMeta(page: Self.read(file, at: 0, count: 4096, path), path) } catch {
      throw FileError.otherKind(file.path, expected: .lmdb) ?? error
    }
    // Writers use the two pages in turn; the one with the later transaction counts.
    let second = try LMDBMeta(page: Self.read(file, at: first.pageSize, count: 4096, path), path)
    let newest = first.transaction > second.transaction ? first : second
    (pageSize, pageCount) = (first.pageSize, size / first.pageSize)
    guard newest.lastPage < UInt64(pageCount) else {
      throw FileError.unusable(
        path: path, problem: "truncated: \(pageCount) pages, the last one is page \(newest.lastPage)")
    }
    guard newest.flags == 0 else {
      throw FileError.unusable(path: path, problem: "holds sorted, reversed or numeric keys, expected plain ones")
    }
    root = newest.root == .max ? nil : newest.root
    entries = newest.entries
  }

  private static func read(_ file: RandomAccessFile, at offset: Int, count: Int, _ path: String) throws -> LMDBPage {
    LMDBPage(bytes: try file.bytes(at: offset, count: count), path: path)
  }

  private func page(_ number: UInt64) throws -> LMDBPage {
    guard number < UInt64(pageCount) else {
      throw LMDBPage.damaged(path, "it refers to page \(number) of \(pageCount)")
    }
    return try Self.read(file, at: Int(number) * pageSize, count: pageSize, path)
  }

  /// Returns the value of a key, or nil if the database does not have it.
  package func value(of key: String) throws -> Data? {
    guard var number = root else { return nil }
    let key = Array(key.utf8)
    for _ in 0..<Self.deepest {
      let page = try page(number)
      switch try page.kind() {
      case .branch: number = try page.child(for: key)
      case .leaf: return try page.value(of: key).map { try data(of: $0) }
      }
    }
    throw LMDBPage.damaged(path, "its tree is deeper than \(Self.deepest) pages")
  }

  /// Returns the first keys, at most `most` and only those of one page.
  package func firstKeys(_ most: Int) throws -> [String] {
    guard var number = root else { return [] }
    for _ in 0..<Self.deepest {
      let page = try page(number)
      switch try page.kind() {
      case .branch: number = try page.child(for: [])
      case .leaf: return try page.keys(most).map { FolderListing.escaped($0) }
      }
    }
    throw LMDBPage.damaged(path, "its tree is deeper than \(Self.deepest) pages")
  }

  private func data(of value: LMDBPage.Value) throws -> Data {
    switch value {
    case .inline(let bytes): return Data(bytes)
    case .overflow(let first, let size):
      // The value follows the header of its first page, across all of them.
      let (start, end) = (first.multipliedReportingOverflow(by: UInt64(pageSize)), UInt64(pageCount * pageSize))
      guard !start.overflow, start.partialValue < end, end - start.partialValue >= UInt64(size + LMDBPage.headerBytes),
        try page(first).isOverflow()
      else { throw LMDBPage.damaged(path, "a value of \(size) bytes lies outside the file") }
      var data = Data(count: size)
      let offset = Int(start.partialValue) + LMDBPage.headerBytes
      try data.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
      return data
    }
  }
}

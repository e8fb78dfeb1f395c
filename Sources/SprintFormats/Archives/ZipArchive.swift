import CZip
import Foundation

/// A zip archive, opened for reading; its entries are stored or deflated. One thread at a time calls the library.
package final class ZipArchive: @unchecked Sendable {
  /// The path of the archive.
  package let path: String
  let archive: OpaquePointer
  private let mostBytes: UInt64
  let lock = NSLock()

  /// Opens an archive and checks its directory; a name that appears twice is an error.
  package init(reading path: String) throws {
    self.path = path
    mostBytes = MemoryBound.most(fileSize: UInt64(try RandomAccessFile(reading: path).size))
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code) else {
      let problem = code == ZIP_ER_EXISTS ? "it holds a name twice" : Self.text(of: code)
      throw FileError.otherKind(path, expected: .zip, .npz)
        ?? .unusable(path: path, problem: "not a whole zip archive: \(problem)")
    }
    self.archive = archive
  }

  deinit { zip_discard(archive) }

  /// The names of all entries, in the archive's order.
  package var names: [String] {
    lock.withLock {
      (0..<max(0, zip_get_num_entries(archive, 0))).map { index in
        zip_get_name(archive, UInt64(index), 0).map { String(cString: $0) } ?? ""
      }
    }
  }

  /// The text about the archive, or nothing.
  package var comment: String {
    lock.withLock {
      var length: Int32 = 0
      guard let text = zip_get_archive_comment(archive, &length, 0), length > 0 else { return "" }
      return String(decoding: UnsafeRawBufferPointer(start: text, count: Int(length)), as: UTF8.self)
    }
  }

  /// Whether the archive has an entry `name`.
  package func has(_ name: String) -> Bool { lock.withLock { zip_name_locate(archive, name, 0) >= 0 } }

  /// Returns the first bytes of an entry, at most `count`, and its size.
  package func beginning(of name: String, count: Int) throws -> (bytes: Data, size: Int) {
    try lock.withLock {
      var status = zip_stat_t()
      let index = zip_name_locate(archive, name, 0)
      guard index >= 0, zip_stat_index(archive, UInt64(index), 0, &status) == 0,
        let entry = zip_fopen_index(archive, UInt64(index), 0)
      else { throw failed("open `\(name)`") }
      defer { zip_fclose(entry) }
      var data = Data(count: Int(min(status.size, UInt64(count))))
      let read = data.withUnsafeMutableBytes { zip_fread(entry, $0.baseAddress, UInt64($0.count)) }
      guard read == data.count else { throw failed("read `\(name)`") }
      return (data, Int(clamping: status.size))
    }
  }

  /// Returns all bytes of an entry and verifies its checksum.
  package func contents(of name: String) throws -> Data {
    try lock.withLock {
      var status = zip_stat_t()
      let index = zip_name_locate(archive, name, 0)
      guard index >= 0, zip_stat_index(archive, UInt64(index), 0, &status) == 0 else {
        throw FileError.unusable(path: path, problem: "holds no `\(name)`")
      }
      guard status.size <= mostBytes, [ZIP_CM_STORE, ZIP_CM_DEFLATE].contains(Int32(status.comp_method)) else {
        throw FileError.unexpected(
          path: path, name: name, found: "\(status.size) bytes, packed by method \(status.comp_method)",
          expected: "at most \(mostBytes) bytes in an archive of this size, stored or deflated")
      }
      guard let entry = zip_fopen_index(archive, UInt64(index), 0) else { throw failed("open `\(name)`") }
      defer { zip_fclose(entry) }
      var data = Data(count: Int(status.size))
      let count = data.withUnsafeMutableBytes { zip_fread(entry, $0.baseAddress, UInt64($0.count)) }
      // The library compares the checksum only when it is asked for a byte behind the last.
      var beyond: UInt8 = 0
      guard count == data.count, zip_fread(entry, &beyond, 1) == 0 else {
        throw FileError.unusable(path: path, problem: "cannot read `\(name)`: truncated, or its checksum is wrong")
      }
      return data
    }
  }

  func failed(_ action: String) -> FileError {
    FileError.unusable(path: path, problem: "cannot \(action) (\(String(cString: zip_strerror(archive))))")
  }

  static func text(of code: Int32) -> String {
    var error = zip_error_t()
    zip_error_init_with_code(&error, code)
    defer { zip_error_fini(&error) }
    return String(cString: zip_error_strerror(&error))
  }
}

import Foundation

/// An open file of which pieces are read or written at their places, from any thread.
package final class RandomAccessFile: Sendable {
  /// Where the file lies.
  package let path: String
  private let descriptor: Int32

  /// Opens a file for reading.
  package convenience init(reading path: String) throws { try self.init(path, O_RDONLY, "open") }

  /// Opens a file for reading and writing, and creates it where there is none.
  package convenience init(writing path: String) throws { try self.init(path, O_RDWR | O_CREAT, "open for writing") }

  private init(_ path: String, _ mode: Int32, _ action: String) throws {
    self.path = path
    descriptor = open(path, mode, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, action) }
  }

  deinit { close(descriptor) }

  /// Bytes in the file.
  package var size: Int {
    get throws {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw FileError.last(path, "look at") }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw FileError.system(path: path, action: "read as a file", code: EISDIR)
      }
      return Int(status.st_size)
    }
  }

  /// Fills `target` with what stands from `offset` on; an error where the file ends before.
  package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError.last(path, "read") }
      guard count > 0 else { throw FileError.truncated(path: path, expected: offset + target.count) }
      done += count
    }
  }

  /// Writes all of `source` from `offset` on.
  package func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < source.count {
      let rest = UnsafeRawBufferPointer(rebasing: source[done...])
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError.last(path, "write") }
      done += count
    }
  }

  /// All bytes.
  package func contents() throws -> Data {
    var data = Data(count: try size)
    try data.withUnsafeMutableBytes { try read(into: $0, at: 0) }
    return data
  }

  /// The same for bytes at hand.
  package func write(_ bytes: [UInt8], at offset: Int) throws {
    try bytes.withUnsafeBytes { try write($0, at: offset) }
  }

  /// Cuts the file off, or extends it by zeros.
  package func resize(to size: Int) throws {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError.last(path, "resize") }
  }

  /// Takes the room of the whole file on the disk, so that filling it cannot fail for want of it.
  package func claim() throws {
    let code = try posix_fallocate(descriptor, 0, off_t(size))
    // Where a file system cannot do so, a full disk is found later.
    guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
      throw FileError.system(path: path, action: "take \(try size) bytes of the disk", code: code)
    }
  }

  /// Waits until everything written is on disk.
  package func sync() throws {
    guard fdatasync(descriptor) == 0 else { throw FileError.last(path, "sync") }
  }
}

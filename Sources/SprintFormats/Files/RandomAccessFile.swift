import Foundation

/// An open file that any thread can read and write at any place.
package final class RandomAccessFile: Sendable {
  /// The path of the file.
  package let path: String
  private let descriptor: Int32

  /// Opens a file for reading.
  package convenience init(reading path: String) throws { try self.init(path, O_RDONLY, "open") }

  /// Opens a file for reading; nil where nothing exists at `path`.
  package convenience init?(ifExists path: String) throws {
    do { try self.init(reading: path) } catch FileError.system(_, _, ENOENT) { return nil }
  }

  /// Opens a file for reading and writing; creates it if it does not exist.
  package convenience init(writing path: String) throws { try self.init(path, O_RDWR | O_CREAT, "open for writing") }

  /// Creates a file, which must not exist, for reading and writing.
  package convenience init(creating path: String) throws {
    try self.init(path, O_RDWR | O_CREAT | O_EXCL, "create")
  }

  private init(_ path: String, _ mode: Int32, _ action: String) throws {
    self.path = path
    descriptor = open(path, mode | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, action) }
  }

  deinit { close(descriptor) }

  /// The size of the file in bytes; throws if it is a folder or a device.
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

  /// Whether this file was removed, or another one lies at its path. A file that was moved away is neither: it may come
  /// back.
  package var isReplaced: Bool {
    get throws {
      var (own, other) = (stat(), stat())
      guard fstat(descriptor, &own) == 0 else { throw FileError.last(path, "look at") }
      if stat(path, &other) == 0 { return own.st_dev != other.st_dev || own.st_ino != other.st_ino }
      guard errno == ENOENT || errno == ENOTDIR else { throw FileError.last(path, "look at") }
      return own.st_nlink == 0
    }
  }

  /// The size of the file and when it was last written.
  package var stamp: FileStamp {
    get throws {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw FileError.last(path, "look at") }
      return FileStamp(status)
    }
  }

  /// Fills `target` with the bytes from `offset` on; throws if the file ends before.
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

  /// Returns `count` bytes from `offset` on.
  package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try read(into: $0, at: offset) }
    return bytes
  }

  /// Returns all bytes of the file.
  package func contents() throws -> Data {
    let count = try size
    // A file with holes may claim any size; `Data` would end the process where there is no memory.
    guard let memory = malloc(max(1, count)) else {
      throw FileError.unusable(path: path, problem: "its \(count) bytes do not fit into memory")
    }
    do { try read(into: UnsafeMutableRawBufferPointer(start: memory, count: count), at: 0) } catch {
      free(memory)
      throw error
    }
    // `Data` copies a few bytes and frees the memory at once, so it gets the memory last.
    return Data(bytesNoCopy: memory, count: count, deallocator: .free)
  }

  /// Writes all of `source` at `offset`.
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

  /// Writes an array of bytes at `offset`.
  package func write(_ bytes: [UInt8], at offset: Int) throws {
    try bytes.withUnsafeBytes { try write($0, at: offset) }
  }

  /// Cuts the file off at `size`, or extends it with zeros.
  package func resize(to size: Int) throws {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError.last(path, "resize") }
  }

  /// Allocates disk blocks for the whole file, so that a full disk shows now and not while the file is filled.
  package func claim() throws {
    let code = try posix_fallocate(descriptor, 0, off_t(size))
    // Some file systems cannot allocate ahead; there a full disk shows later.
    guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
      throw FileError.system(path: path, action: "allocate \(try size) bytes on the disk", code: code)
    }
  }

  /// Waits until everything written is on disk.
  package func sync() throws {
    guard fdatasync(descriptor) == 0 else { throw FileError.last(path, "sync") }
  }
}

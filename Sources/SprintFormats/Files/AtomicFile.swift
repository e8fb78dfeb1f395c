import Crypto
import Foundation

/// Files that appear under their name only once they are whole and on disk.
package enum AtomicFile {
  /// Calls `write` with the path of a temporary file beside `path`, syncs what it wrote, renames it to `path` and syncs the
  /// folder. On an error nothing is left behind and an older file at `path` stays as it was.
  package static func create(_ path: String, _ write: (_ temporary: String) throws -> Void) throws {
    let temporary = "\(path).partial"
    if unlink(temporary) != 0, errno != ENOENT { throw FileError.last(temporary, "remove an interrupted file") }
    do {
      try write(temporary)
      try put(temporary, at: path)
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Syncs a finished file, renames it to `path` and syncs the folder.
  package static func put(_ temporary: String, at path: String) throws {
    try sync(temporary)
    guard rename(temporary, path) == 0 else { throw FileError.last(path, "put the finished file in its place") }
    try sync((path as NSString).deletingLastPathComponent)
  }

  /// The same for bytes at hand.
  package static func write(_ data: Data, to path: String) throws {
    try create(path) { temporary in
      let file = try RandomAccessFile(writing: temporary)
      try data.withUnsafeBytes { try file.write($0, at: 0) }
    }
  }

  /// Finds out whether a file can be created at `path`, before any work is spent on what is to be in it.
  package static func checkWritable(_ path: String) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw FileError.system(path: path, action: "write the file", code: EISDIR)
    }
    let probe = "\(path).partial"
    let descriptor = open(probe, O_WRONLY | O_CREAT, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, "write the file") }
    close(descriptor)
    unlink(probe)
  }

  /// Creates a folder and those above it.
  package static func createFolder(_ path: String) throws {
    var way = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      way += "\(part)/"
      if mkdir(way, 0o755) == 0 { continue }
      let code = errno
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: way, isDirectory: &isFolder), isFolder.boolValue else {
        throw FileError.system(path: path, action: "create the folder", code: code)
      }
    }
  }

  private static func sync(_ path: String) throws {
    let path = path.isEmpty ? "." : path
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError.last(path, "open to sync") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError.last(path, "sync") }
  }
}

/// Size and SHA-256 of a file, to tell a whole one from a damaged one.
package struct Fingerprint: Codable, Equatable, Sendable {
  /// Bytes in the file.
  package let size: Int
  /// SHA-256 of the contents, in hexadecimal digits.
  package let sha256: String

  /// Reads the whole file, at a pace.
  package init(of path: String, pace: Pace? = nil) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError.last(path, "open") }
    defer { close(descriptor) }
    var (hash, size) = (SHA256(), 0)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let began = ContinuousClock.now
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      guard count >= 0 else { throw FileError.last(path, "read") }
      if count == 0 { break }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      size += count
      pace?.rest(since: began)
    }
    self.size = size
    sha256 = hash.finalize().map { String(format: "%02x", $0) }.joined()
  }
}

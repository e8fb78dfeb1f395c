import Foundation

/// Writes files that appear under their name only once they are whole and on disk.
package enum AtomicFile {
  /// Creates a file, in one piece or not at all: `write` fills a temporary file beside `path`, which is then synced,
  /// renamed to `path`, and its folder synced. On an error the temporary file is removed, and an older file at `path`
  /// stays as it was.
  package static func create(_ path: String, _ write: (_ temporary: String) throws -> Void) throws {
    let temporary = temporary(for: path)
    if unlink(temporary) != 0, errno != ENOENT { throw FileError.last(temporary, "remove an interrupted file") }
    do {
      try write(temporary)
      try put(temporary, at: path)
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// A name beside `path` that no other process uses, on this host or another.
  private static func temporary(for path: String) -> String {
    "\(path).\(ProcessInfo.processInfo.hostName).\(getpid()).partial"
  }

  /// Syncs a finished file, renames it to `path` and syncs the folder.
  package static func put(_ temporary: String, at path: String) throws {
    try sync(temporary)
    guard rename(temporary, path) == 0 else { throw FileError.last(path, "put the finished file in its place") }
    try sync((path as NSString).deletingLastPathComponent)
  }

  /// Writes `data` to a file, in one piece or not at all.
  package static func write(_ data: Data, to path: String) throws {
    try create(path) { temporary in
      let file = try RandomAccessFile(writing: temporary)
      try data.withUnsafeBytes { try file.write($0, at: 0) }
    }
  }

  /// Throws if no file can be created at `path`; call it before hours of work go into the file.
  package static func checkWritable(_ path: String) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw FileError.system(path: path, action: "write the file", code: EISDIR)
    }
    let probe = temporary(for: path)
    let descriptor = open(probe, O_WRONLY | O_CREAT, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, "write the file") }
    close(descriptor)
    unlink(probe)
  }

  /// Creates a folder and the folders above it.
  package static func createFolder(_ path: String) throws {
    var current = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      current += "\(part)/"
      if mkdir(current, 0o755) == 0 { continue }
      let code = errno
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: current, isDirectory: &isFolder), isFolder.boolValue else {
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

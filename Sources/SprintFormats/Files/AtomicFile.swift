import Foundation

/// Writes files that appear under their name only once they are whole and on disk.
package enum AtomicFile {
  /// Creates a file, in one piece or not at all: `write` fills a temporary file beside `path`, which is then synced,
  /// renamed to `path`, and its folder synced. On an error the temporary file is removed, and an older file at `path`
  /// stays as it was.
  package static func create(_ path: String, _ write: (_ temporary: String) throws -> Void) throws {
    let temporary = TemporaryName.beside(path)
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
    try syncFolder((path as NSString).deletingLastPathComponent)
  }

  /// Writes `data` to a file, in one piece or not at all.
  package static func write(_ data: Data, to path: String) throws {
    try create(path) { temporary in
      let file = try RandomAccessFile(creating: temporary)
      try data.withUnsafeBytes { try file.write($0, at: 0) }
    }
  }

  /// Throws if no file can be created at `path`; call it before hours of work go into the file.
  package static func checkWritable(_ path: String) throws {
    if FolderListing.isFolder(path) {
      throw FileError.system(path: path, action: "write the file", code: EISDIR)
    }
    let probe = TemporaryName.beside(path)
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, "write the file") }
    close(descriptor)
    unlink(probe)
  }

  /// Removes temporary files from a folder that the caller has locked: those that `isOwned` picks, which only holders
  /// of the lock write, and those of processes of this host that have ended.
  package static func removeLeftovers(in folder: String, where isOwned: (_ name: String) -> Bool) {
    removeTemporaries(in: folder) { isOwned($0) || TemporaryName($0)?.isLeftOver == true }
  }

  /// Removes what interrupted writes of `path` left. The caller holds the lock on `path`.
  package static func removeLeftovers(of path: String) {
    let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
    removeTemporaries(in: folder.isEmpty ? "." : folder) { TemporaryName($0)?.base == name }
  }

  private static func removeTemporaries(in folder: String, where isUseless: (String) -> Bool) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasSuffix(".\(TemporaryName.ending)") && isUseless(name) {
      unlink("\(folder)/\(name)")
    }
  }

  /// Creates a folder and the folders above it.
  package static func createFolder(_ path: String) throws {
    var current = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      current += "\(part)/"
      if mkdir(current, 0o755) == 0 { continue }
      let code = errno
      guard FolderListing.isFolder(current) else {
        throw FileError.system(path: path, action: "create the folder", code: code)
      }
    }
  }

  /// Waits until the files of a finished folder are on disk, renames it to `path`, where nothing or an empty folder is,
  /// and syncs the folder above.
  package static func putFolder(_ temporary: String, at path: String) throws {
    for name in try FolderListing(temporary).names { try sync("\(temporary)/\(name)") }
    try syncFolder(temporary)
    guard rename(temporary, path) == 0 else { throw FileError.last(path, "put the finished folder in its place") }
    try syncFolder((path as NSString).deletingLastPathComponent)
  }

  /// Syncs a folder, where its file system can. SMB, FUSE and shared folders of virtual machines often cannot, and
  /// order a rename by themselves.
  private static func syncFolder(_ path: String) throws {
    do { try sync(path.isEmpty ? "." : path) } catch FileError.system(_, _, let code) where isUnsupported(code) {}
  }

  private static func isUnsupported(_ code: Int32) -> Bool { [EINVAL, ENOTSUP, ENOSYS].contains(code) }

  private static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError.last(path, "open to sync") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError.last(path, "sync") }
  }
}

import Foundation

/// A file that one process holds at a time, to keep others away from what it stands for.
///
/// The lock is one of fcntl's locks of open files: it ends with its process, however that ends. The kernel passes it on
/// to the server of a network file system, if that supports locks. The file says who holds it.
package final class ExclusiveLock: Sendable {
  private let path: String
  private let descriptor: Int32
  /// False on a file system without locks, where nothing keeps other processes away.
  package let isHeld: Bool

  /// Takes the lock; throws where another process holds it.
  ///
  /// - Parameters:
  ///   - path: the file, which is created if necessary
  ///   - remedy: what the user can do if another process holds the lock
  package init(path: String, remedy: any Remedy) throws {
    self.path = path
    (descriptor, isHeld) = try Self.take(path, remedy)
    if isHeld { try describeOwner() }
  }

  deinit {
    // Removed while it is held: who opened the file before finds that it is no longer the one at the path.
    if isHeld { unlink(path) }
    close(descriptor)
  }

  private static func take(_ path: String, _ remedy: any Remedy) throws -> (descriptor: Int32, isHeld: Bool) {
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw FileError.last(path, "open the lock") }
      var range = flock()
      (range.l_type, range.l_whence) = (Int16(F_WRLCK), Int16(SEEK_SET))
      guard fcntl(descriptor, setOpenFileLock, &range) != 0 else {
        if isCurrent(descriptor, path) { return (descriptor, true) }
        close(descriptor)
        continue
      }
      let code = errno
      guard code == EAGAIN || code == EACCES else { return (descriptor, false) }
      let owner = owner(descriptor)
      close(descriptor)
      throw FileError.unusable(path: path, problem: "in use by \(owner)", remedy: remedy)
    }
  }

  /// F_OFD_SETLK, which Swift does not import.
  private static let setOpenFileLock: Int32 = 37

  /// Whether the open file is still the one at its path.
  private static func isCurrent(_ descriptor: Int32, _ path: String) -> Bool {
    var (own, found) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(path, &found) == 0 && own.st_ino == found.st_ino
      && own.st_dev == found.st_dev
  }

  private static func owner(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first
    return text.map(String.init) ?? "another process"
  }

  private func describeOwner() throws {
    let now = Date().ISO8601Format()
    let text = "process \(getpid()) on \(ProcessInfo.processInfo.hostName) since \(now)\n"
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.utf8.count, 0) == text.utf8.count else {
      throw FileError.last(path, "write the lock")
    }
  }
}

import Foundation

extension ExclusiveLock {
  /// Returns who holds the lock of a file, as far as the file says, without taking it; nil where nobody does, nothing
  /// is at `path`, or the file system has no locks.
  package static func owner(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var range = flock()
    (range.l_type, range.l_whence) = (Int16(F_WRLCK), Int16(SEEK_SET))
    guard fcntl(descriptor, getOpenFileLock, &range) == 0, range.l_type != Int16(F_UNLCK) else { return nil }
    return description(descriptor) ?? "another process"
  }

  /// F_OFD_GETLK, which Swift does not import.
  private static let getOpenFileLock: Int32 = 36
}

import Foundation

/// A file that one process holds at a time, to keep others away from what it stands for.
///
/// The lock is one of fcntl's locks of open files: it ends with its process, however that ends, and closing another
/// descriptor of the file does not drop it. The kernel passes it on to the server of a network file system, if that
/// supports locks. The file says who holds it.
package final class ExclusiveLock: Sendable {
  private let path: String
  private let descriptor: Int32
  private let staysBehind: Bool
  /// False on a file system without locks, where nothing keeps other processes away.
  package let isHeld: Bool

  /// Takes the lock; throws if another process holds it.
  ///
  /// - Parameters:
  ///   - path: the file, which is created if necessary
  ///   - staysBehind: whether the file stays, empty, when the lock is released. Then every process locks the same file,
  ///     even on a network file system that shows other hosts a removed name for a while.
  ///   - remedy: what the user can do if another process holds the lock
  package init(path: String, staysBehind: Bool = false, remedy: any Remedy) throws {
    (self.path, self.staysBehind) = (path, staysBehind)
    (descriptor, isHeld) = try Self.take(path, remedy)
    if isHeld { describeOwner() }
  }

  deinit {
    if isHeld { tidy() }
    close(descriptor)
  }

  /// One line for the user if nothing keeps other processes away.
  package var warning: String? {
    isHeld ? nil : "\(path): this file system has no locks; make sure that no other process writes the same files"
  }

  /// Takes back what this process left. The lock is still held: another process that has opened the file before its
  /// removal finds, once it holds the lock, that its file is no longer the one at the path.
  private func tidy() {
    if staysBehind {
      ftruncate(descriptor, 0)
    } else if (try? Self.isCurrent(descriptor, path)) == true {
      // Otherwise the folder was moved or removed, and the file at the path may be the lock of somebody else.
      unlink(path)
    }
  }

  // MARK: Locking

  /// How an attempt to lock an open file ends.
  package enum Attempt: Equatable {
    /// This process holds the lock.
    case taken
    /// Another process holds the lock.
    case refused
    /// The file was removed, or a signal came in between: try again.
    case interrupted
    /// The file system has no locks.
    case unsupported
    /// Another error of the system.
    case failed(Int32)

    /// The meaning of an error of `fcntl`. NFS without a lock service answers ENOLCK, Lustre without `-o flock` ENOSYS,
    /// and kernels and file systems that lack this kind of lock EINVAL or EOPNOTSUPP.
    package init(error code: Int32) {
      self =
        switch code {
        case EAGAIN, EACCES: .refused
        case ESTALE, EINTR: .interrupted
        case ENOLCK, ENOSYS, EINVAL, EOPNOTSUPP: .unsupported
        default: .failed(code)
        }
    }
  }

  private static func take(_ path: String, _ remedy: any Remedy) throws -> (descriptor: Int32, isHeld: Bool) {
    var silentRefusals = 0
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw FileError.last(path, "open the lock") }
      switch attempt(descriptor) {
      case .taken where try isCurrentOrClosed(descriptor, path): return (descriptor, true)
      case .unsupported: return (descriptor, false)
      case .taken, .interrupted: close(descriptor)
      case .refused:
        // The owner describes itself right after it has taken the lock, until when the file may name an earlier one,
        // and takes that back right before it lets go.
        usleep(20_000)
        let owner = description(descriptor)
        close(descriptor)
        silentRefusals += 1
        if owner == nil, silentRefusals < 10 { continue }
        let name = owner ?? "another process; the lock file does not say which"
        throw FileError.unusable(path: path, problem: "in use by \(name)", remedy: remedy)
      case .failed(let code):
        close(descriptor)
        throw FileError.system(path: path, action: "lock", code: code)
      }
    }
  }

  private static func attempt(_ descriptor: Int32) -> Attempt {
    var range = flock()
    (range.l_type, range.l_whence) = (Int16(F_WRLCK), Int16(SEEK_SET))
    return fcntl(descriptor, setOpenFileLock, &range) == 0 ? .taken : Attempt(error: errno)
  }

  /// F_OFD_SETLK, which Swift does not import.
  private static let setOpenFileLock: Int32 = 37

  /// Whether the open file is still the one at its path. Opens the path again, because NFS looks a name up anew on the
  /// server only when it is opened.
  private static func isCurrent(_ descriptor: Int32, _ path: String) throws -> Bool {
    let second = open(path, O_RDONLY | O_CLOEXEC)
    if second < 0, errno == ENOENT || errno == ESTALE { return false }
    guard second >= 0 else { throw FileError.last(path, "open the lock") }
    defer { close(second) }
    var (own, found) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && fstat(second, &found) == 0 && own.st_ino == found.st_ino
      && own.st_dev == found.st_dev
  }

  /// Does what `isCurrent` does, and closes the file before it throws.
  private static func isCurrentOrClosed(_ descriptor: Int32, _ path: String) throws -> Bool {
    do { return try isCurrent(descriptor, path) } catch {
      close(descriptor)
      throw error
    }
  }

  // MARK: The owner

  private static let ownerStart = "process "
  private static let longestOwner = 512

  /// A failure is no reason to stop: the lock holds without its description too.
  private func describeOwner() {
    let text = "\(Self.ownerStart)\(getpid()) on host \(HostName.current) since \(Date().ISO8601Format())\n"
    ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.utf8.count, 0)
  }

  /// The first line of the file, if it is whole and of this class; anybody may have written something else into it.
  static func description(_ descriptor: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: longestOwner)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard let end = bytes.prefix(max(0, count)).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let line = bytes[..<end]
    guard line.starts(with: ownerStart.utf8), line.allSatisfy({ (0x20..<0x7f).contains($0) }) else { return nil }
    return String(decoding: line, as: UTF8.self)
  }
}

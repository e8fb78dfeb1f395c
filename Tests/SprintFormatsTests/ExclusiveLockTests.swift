import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct ExclusiveLockTests {
  private struct Wait: Remedy {}

  @Test("A lock that is held is refused with its owner, a released one leaves no file and can be taken again")
  func exclusive() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    var lock: ExclusiveLock? = try ExclusiveLock(path: path, remedy: Wait())
    #expect(lock?.isHeld == true)
    #expect { try ExclusiveLock(path: path, remedy: Wait()) } throws: { error in
      "\(error)".contains("in use by process \(getpid()) on host \(ProcessInfo.processInfo.hostName) since 20")
        && (error as? FileError)?.remedy is Wait
    }
    lock = nil
    #expect(!FileManager.default.fileExists(atPath: path))
    _ = try ExclusiveLock(path: path, remedy: Wait())
  }

  @Test("A lock file that a killed process left behind does not keep the next one out")
  func leftOver() throws {
    let folder = try TemporaryFolder()
    try Data("process 1 on nowhere since long ago\n".utf8).write(to: URL(fileURLWithPath: folder.file("lock")))
    #expect(try ExclusiveLock(path: folder.file("lock"), remedy: Wait()).isHeld)
  }

  @Test("A lock that stays behind is one file for ever, is empty when nobody holds it, and can be taken again")
  func staysBehind() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    func number() -> UInt64? {
      (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? UInt64
    }
    var lock: ExclusiveLock? = try ExclusiveLock(path: path, staysBehind: true, remedy: Wait())
    let first = try #require(number())
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(number() == first && FileManager.default.contents(atPath: path) == Data())
    #expect(try ExclusiveLock(path: path, staysBehind: true, remedy: Wait()).isHeld && number() == first)
  }

  @Test("A process whose lock file was taken away does not remove the lock of the next one")
  func replaced() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    var first: ExclusiveLock? = try ExclusiveLock(path: path, remedy: Wait())
    unlink(path)
    let second = try ExclusiveLock(path: path, remedy: Wait())
    withExtendedLifetime(first) {}
    first = nil
    #expect(throws: FileError.self) { try ExclusiveLock(path: path, remedy: Wait()) }
    withExtendedLifetime(second) {}
  }

  @Test(
    "A refusal prints nothing that is not the owner's own line, and says so", arguments: ["", "\u{1B}[2Jprocess 1\n"])
  func unreadableOwner(text: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    let lock = try ExclusiveLock(path: path, remedy: Wait())
    try RandomAccessFile(writing: path).resize(to: 0)
    try RandomAccessFile(writing: path).write(Array(text.utf8), at: 0)
    #expect { try ExclusiveLock(path: path, remedy: Wait()) } throws: { error in
      "\(error)" == "\(path): in use by another process; the lock file does not say which"
    }
    withExtendedLifetime(lock) {}
  }

  @Test("Closing another descriptor of the file does not drop the lock")
  func otherDescriptor() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    let lock = try ExclusiveLock(path: path, remedy: Wait())
    close(open(path, O_RDWR))
    #expect(throws: FileError.self) { try ExclusiveLock(path: path, remedy: Wait()) }
    withExtendedLifetime(lock) {}
  }

  @Test("Only a file system without locks lets sprint go on without one; other errors are errors")
  func errors() {
    for code in [ENOLCK, ENOSYS, EINVAL, EOPNOTSUPP] { #expect(ExclusiveLock.Attempt(error: code) == .unsupported) }
    for code in [EAGAIN, EACCES] { #expect(ExclusiveLock.Attempt(error: code) == .refused) }
    for code in [ESTALE, EINTR] { #expect(ExclusiveLock.Attempt(error: code) == .interrupted) }
    #expect(ExclusiveLock.Attempt(error: EIO) == .failed(EIO))
  }

  @Test("Of threads that take and release a lock again and again only one holds it at a time")
  func contention() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    let (holders, most) = (Counter(), Counter())
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<500 {
        guard let lock = try? ExclusiveLock(path: path, remedy: Wait()) else { continue }
        most.raise(to: holders.add(1))
        _ = holders.add(-1)
        withExtendedLifetime(lock) {}
      }
    }
    #expect(most.value == 1)
  }

  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var value = 0

    func add(_ number: Int) -> Int {
      lock.withLock {
        value += number
        return value
      }
    }

    func raise(to number: Int) { lock.withLock { value = max(value, number) } }
  }
}

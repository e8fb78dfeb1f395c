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
      "\(error)".contains("in use by process \(getpid()) on \(ProcessInfo.processInfo.hostName) since 20")
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

import Foundation
import SprintFormats
import SprintTraining
import Testing

/// What a full disk or a lost server has prevented is tried again for a limited time.
@Suite struct PatienceTests {
  private let full = FileError.system(path: "run", action: "write", code: ENOSPC)

  @Test("An error that passes costs its time, and is mentioned once")
  func passes() throws {
    var (tries, notes) = (0, [String]())
    let patience = Patience(seconds: 30) { notes.append($0) }
    let result = try patience { () throws -> Int in
      tries += 1
      if tries < 3 { throw full }
      return 7
    }
    #expect(result == 7 && tries == 3)
    #expect(notes == ["run: cannot write: No space left on device; trying again for 30 s"])
  }

  @Test("An error that stays is thrown once the time is over, or when a stop is requested")
  func stays() throws {
    let began = ContinuousClock.now
    #expect(throws: FileError.self) { try Patience(seconds: 1.2)() { throw full } }
    #expect(ContinuousClock.now - began >= .seconds(1.2) && ContinuousClock.now - began < .seconds(3))
    let stop = StopRequest()
    stop.request()
    var tries = 0
    #expect(throws: FileError.self) {
      try Patience(seconds: 100, stop: stop)() {
        tries += 1
        throw full
      }
    }
    #expect(tries == 1)
  }

  @Test("A mistake of the user is thrown at once", arguments: [EACCES, ENOENT, ENOTDIR, EROFS])
  func mistakes(code: Int32) throws {
    var tries = 0
    #expect(throws: FileError.self) {
      try Patience(seconds: 100)() {
        tries += 1
        throw FileError.system(path: "run", action: "open", code: code)
      }
    }
    #expect(tries == 1)
  }
}

import Foundation
import SprintCommunication
import SprintFormats

/// A temporary folder for the files of a bench, with the same name at all ranks.
struct BenchFolder {
  let path: String

  init(_ communicator: Communicator) throws {
    let number = try communicator.broadcast([Double(getpid())])[0]
    path = FileManager.default.temporaryDirectory.path + "/sprint-bench-\(Int(number))"
    try communicator.agree { [path] in try AtomicFile.createFolder(path) }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

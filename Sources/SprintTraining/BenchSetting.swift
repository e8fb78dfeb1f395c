import Foundation
import SprintCommunication
import SprintFormats

// What benches have in common.

extension Configuration {
  /// The published network of a size; `rest` is more of the document.
  static func forBench(size: String, side: Int = 32, latents: String = "none.h5", _ rest: String = "") throws -> Self {
    let text = """
      model: {size: \(size), side: \(side), channels: 4, classes: 1000}
      data: {train: ["\(latents)"]}

      """
    return try Configuration(ConfigurationDocument(text: text + rest, source: "bench"))
  }
}

/// The middle one of some numbers.
public func median(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.sorted()[values.count / 2] }

/// A folder for what a bench writes, of the same name at all ranks.
struct BenchFolder {
  let path: String

  init(_ communicator: Communicator) throws {
    let number = try communicator.broadcast([Double(getpid())])[0]
    path = FileManager.default.temporaryDirectory.path + "/sprint-bench-\(Int(number))"
    try communicator.agree { [path] in try AtomicFile.createFolder(path) }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// What the operating system tells of this process's memory.
enum ResidentMemory {
  /// The most bytes that were resident at once.
  static var peak: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) * 1024
  }
}

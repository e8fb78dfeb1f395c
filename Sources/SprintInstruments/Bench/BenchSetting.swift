import SprintTraining
import Foundation
import SprintCommunication
import SprintFormats
import SprintKernels

// What benches have in common.

extension Configuration {
  /// The published network of a size; `rest` is more of the document.
  static func forBench(size: String, latents: String = "none.h5", _ rest: String = "") throws -> Self {
    let text = """
      model: {size: \(size), side: 32, channels: 4, classes: 1000}
      data: {train: ["\(latents)"]}

      """
    return try Configuration(ConfigurationDocument(text: text + rest, source: "bench"))
  }
}

extension Communicator {
  /// FLOP/s of all ranks in large matrix products, measured at the same time.
  func measurePeak(_ workers: Workers) throws -> Double {
    try barrier()
    return try sum([BLAS.measurePeak(workers: workers, side: 2048)])[0]
  }
}

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

import Foundation

/// The end of a process to which the system refuses memory. A computation that has begun could do nothing without it;
/// `train` compares what it needs with what the machine has before it takes any.
enum OutOfMemory {
  /// Prints one line and ends the process with code 1.
  static func end(_ problem: String) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data("sprint: memory: \(problem)\n".utf8))
    _exit(1)
  }
}

import Foundation

/// The resident memory of this process, as the operating system counts it.
enum ResidentMemory {
  /// The largest number of bytes that were resident at once.
  static var peak: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) * 1024
  }
}

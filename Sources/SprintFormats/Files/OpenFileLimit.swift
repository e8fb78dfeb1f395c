import Foundation

/// How many files this process may have open at once.
package enum OpenFileLimit {
  /// The limit of now.
  package static var current: Int {
    var limit = rlimit()
    getrlimit(kind, &limit)
    return Int(min(limit.rlim_cur, most))
  }

  /// Raises the limit as far as the system lets a process raise its own. Shells start with 1024, which is a rest of old
  /// times.
  package static func raise() {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0, limit.rlim_cur < most else { return }
    limit.rlim_cur = min(limit.rlim_max, most)
    setrlimit(kind, &limit)
  }

  private static let most: rlim_t = 65536
  private static let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}

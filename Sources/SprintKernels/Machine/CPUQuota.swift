import Foundation

/// How much time on cores the control groups around this process allow it, as `docker --cpus` and the limits of
/// Kubernetes set it. The cores themselves stay visible.
package enum CPUQuota {
  /// The number of cores that the quota amounts to, such as 1.5; nil without a quota.
  ///
  /// - Parameter root: the folder of the files; empty outside tests
  package static func cores(root: String = "") -> Double? {
    ControlGroups(of: "cpu", in: text("\(root)/proc/self/cgroup")).groups.compactMap { group in
      group.isSecondVersion
        ? second("\(root)/sys/fs/cgroup\(group.path)") : first("\(root)/sys/fs/cgroup/cpu\(group.path)")
    }.min()
  }

  /// Version 2 of the interface: `50000 100000`, or `max 100000`.
  private static func second(_ folder: String) -> Double? {
    let numbers = text("\(folder)/cpu.max").split(whereSeparator: \.isWhitespace).map { Double($0) }
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], period > 0 else { return nil }
    return quota / period
  }

  /// Version 1: two files, with a quota of -1 for none.
  private static func first(_ folder: String) -> Double? {
    func number(_ file: String) -> Double {
      Double(text("\(folder)/\(file)").trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }
    let (quota, period) = (number("cpu.cfs_quota_us"), number("cpu.cfs_period_us"))
    return quota > 0 && period > 0 ? quota / period : nil
  }

  private static func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

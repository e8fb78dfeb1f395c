import Foundation

/// The processes that this one descends from, as `/proc` shows them.
enum ProcessAncestry {
  private static let launchers: Set = ["mpirun", "mpiexec", "orterun", "orted", "prted", "prterun", "slurmstepd"]

  /// The number of cores that the nearest launcher may run on; nil if there is none.
  static var launcherCores: Int? {
    var pid = getppid()
    // Scripts between a launcher and its rank are few.
    for _ in 0..<8 where pid > 1 {
      let fields = status(of: pid)
      if let name = fields["Name"], launchers.contains(name) { return fields["Cpus_allowed_list"].map(count) }
      pid = fields["PPid"].flatMap { Int32($0) } ?? 0
    }
    return nil
  }

  private static func status(of pid: Int32) -> [String: String] {
    let text = FileManager.default.contents(atPath: "/proc/\(pid)/status").map { String(decoding: $0, as: UTF8.self) }
    let lines = (text ?? "").split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
    return Dictionary(lines.filter { $0.count == 2 }.map { ($0[0], $0[1].trimmingCharacters(in: .whitespaces)) }) { $1 }
  }

  /// The number of cores in a list such as `0-3,8`.
  private static func count(_ list: String) -> Int {
    list.split(separator: ",").reduce(0) { sum, part in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last else { return sum }
      return sum + max(0, last - first) + 1
    }
  }
}

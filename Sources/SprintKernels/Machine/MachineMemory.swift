import Foundation

/// The memory that this machine can still give, read from the files in which Linux says so.
package struct MachineMemory: Sendable, Equatable {
  /// Bytes that all processes of this host together can still take, under the limits of their control groups; nil if
  /// the system does not say.
  package let host: Double?
  /// Bytes of address space that this process can still take (`ulimit -v`); nil without such a limit.
  package let process: Double?

  /// The memory at this moment.
  package static var current: MachineMemory { MachineMemory(root: "") }

  /// Reads the files below `root`, which is empty outside tests.
  package init(root: String) {
    let files = MemoryFiles(root: root)
    host = ([files.available] + files.controlGroups).compactMap(\.self).min()
    process = files.addressSpace
  }

  /// Memory of a known size.
  package init(host: Double?, process: Double?) { (self.host, self.process) = (host, process) }
}

/// What the files of `/proc` and `/sys/fs/cgroup` say about memory, in bytes.
private struct MemoryFiles {
  let root: String

  /// The names of a control group's files, in version 1 and 2 of the interface.
  private struct Version {
    let folder, limit, usage: String
    /// What `memory.stat` calls the page cache, which the kernel gives up before it runs out of memory.
    let caches: [String]

    static let one = Version(
      folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
      caches: ["total_inactive_file", "total_active_file"])
    static let two = Version(
      folder: "/sys/fs/cgroup", limit: "memory.max", usage: "memory.current", caches: ["inactive_file", "active_file"])
  }

  private func text(_ path: String) -> String? {
    // Files of /proc have no size, so their contents are not mapped or measured first.
    FileManager.default.contents(atPath: root + path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Returns the number after `key` at the start of a line.
  private func number(_ key: String, in text: String?) -> Double? {
    let line = text?.split(separator: "\n").first { $0.split(separator: " ").first.map(String.init) == key }
    return line.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Double($0) }
  }

  /// What programs can take without swapping.
  var available: Double? { number("MemAvailable:", in: text("/proc/meminfo")).map { $0 * 1024 } }

  /// What each control group that this process belongs to leaves.
  var controlGroups: [Double] {
    (text("/proc/self/cgroup") ?? "").split(separator: "\n").flatMap { line -> [Double] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      if fields[1].isEmpty { return groups(.two, String(fields[2])) }
      return fields[1].split(separator: ",").contains("memory") ? groups(.one, String(fields[2])) : []
    }
  }

  /// What a group and the groups around it leave. In a container only the outermost folder may be visible.
  private func groups(_ version: Version, _ path: String) -> [Double] {
    let parts = path.split(separator: "/")
    return (0...parts.count).compactMap { count in
      left(version, version.folder + parts.prefix(count).map { "/" + $0 }.joined())
    }
  }

  private func left(_ version: Version, _ folder: String) -> Double? {
    func value(_ name: String) -> Double? {
      text("\(folder)/\(name)").flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    // Without a limit, version 2 says `max` and version 1 a number near 2^63.
    guard let limit = value(version.limit), limit < 0x1p62, let usage = value(version.usage) else { return nil }
    let statistics = text("\(folder)/memory.stat")
    let cache = version.caches.reduce(0) { $0 + (number($1, in: statistics) ?? 0) }
    return max(0, limit - max(0, usage - cache))
  }

  /// What the limit on this process's address space leaves.
  var addressSpace: Double? {
    let line = text("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix("Max address space") }
    guard let limit = line?.split(separator: " ").dropFirst(3).first.flatMap({ Double($0) }) else { return nil }
    let pages = text("/proc/self/statm")?.split(separator: " ").first.flatMap { Double($0) } ?? 0
    return max(0, limit - pages * Double(sysconf(Int32(_SC_PAGESIZE))))
  }
}

import Foundation

/// What the files of `/proc` and `/sys/fs/cgroup` say about memory, in bytes. What cannot be read counts as no limit.
struct MemoryFiles {
  let root: String

  /// The names of a control group's files, in version 1 and 2 of the interface.
  private struct Version {
    let folder, limit, usage, swapLimit, swapUsage: String
    /// Whether the files of swap count memory and swap together.
    let swapIncludesMemory: Bool
    /// What `memory.stat` calls that which the kernel gives up before it runs out of memory.
    let caches: [String]

    static let one = Version(
      folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
      swapLimit: "memory.memsw.limit_in_bytes", swapUsage: "memory.memsw.usage_in_bytes", swapIncludesMemory: true,
      caches: ["total_inactive_file", "total_active_file"])
    static let two = Version(
      folder: "/sys/fs/cgroup", limit: "memory.max", usage: "memory.current", swapLimit: "memory.swap.max",
      swapUsage: "memory.swap.current", swapIncludesMemory: false,
      caches: ["inactive_file", "active_file", "slab_reclaimable"])
  }

  private func text(_ path: String) -> String? {
    // Files of /proc have no size, so their contents are not mapped or measured first.
    FileManager.default.contents(atPath: root + path).map { String(decoding: $0, as: UTF8.self) }
  }

  private func number(_ path: String) -> Double? {
    text(path).flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// Returns the number after `key` at the start of a line.
  private func number(_ key: String, in text: String?) -> Double? {
    let line = text?.split(separator: "\n").first { $0.split(separator: " ").first.map(String.init) == key }
    return line.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Double($0) }
  }

  private func hostNumber(_ key: String) -> Double? { number(key, in: text("/proc/meminfo")).map { $0 * 1024 } }

  private var freeSwap: Double { hostNumber("SwapFree:") ?? 0 }

  /// What programs can take, swap included, on this host and in each control group around this process.
  var host: Double? {
    ([hostNumber("MemAvailable:").map { $0 + freeSwap }] + controlGroups).compactMap(\.self).min()
  }

  /// What the kernel still promises; nil where it promises more than it has.
  var promise: Double? {
    guard number("/proc/sys/vm/overcommit_memory") == 2, let limit = hostNumber("CommitLimit:") else { return nil }
    return max(0, limit - (hostNumber("Committed_AS:") ?? 0))
  }

  /// What each control group that this process belongs to leaves.
  private var controlGroups: [Double] {
    ControlGroups(of: "memory", in: text("/proc/self/cgroup") ?? "").groups.compactMap { group in
      let version = group.isSecondVersion ? Version.two : .one
      return left(version, version.folder + group.path)
    }
  }

  private func left(_ version: Version, _ folder: String) -> Double? {
    let statistics = text("\(folder)/memory.stat")
    let cache = version.caches.reduce(0) { $0 + (number($1, in: statistics) ?? 0) }
    func left(_ limit: String, _ usage: String, cache: Double) -> Double? {
      // Without a limit, version 2 says `max` and version 1 a number near 2^63.
      guard let limit = number("\(folder)/\(limit)"), limit < 0x1p62, let usage = number("\(folder)/\(usage)") else {
        return nil
      }
      return max(0, limit - max(0, usage - cache))
    }
    let memory = left(version.limit, version.usage, cache: cache)
    let swap = left(version.swapLimit, version.swapUsage, cache: version.swapIncludesMemory ? cache : 0)
    guard version.swapIncludesMemory else { return memory.map { $0 + min(freeSwap, swap ?? .infinity) } }
    return [memory.map { $0 + freeSwap }, swap].compactMap(\.self).min()
  }

  /// Returns what a limit on this process leaves of which it uses the number of pages in a field of `statm`.
  private func left(_ limit: String, field: Int) -> Double? {
    let line = text("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix(limit) }
    guard let limit = line?.dropFirst(limit.count).split(separator: " ").first.flatMap({ Double($0) }) else {
      return nil
    }
    let pages = text("/proc/self/statm")?.split(separator: " ").dropFirst(field).first.flatMap { Double($0) } ?? 0
    return max(0, limit - pages * Double(sysconf(Int32(_SC_PAGESIZE))))
  }

  /// What the limit on this process's address space leaves.
  var addressSpace: Double? { left("Max address space", field: 0) }

  /// What the limit on this process's writable memory leaves.
  var data: Double? { left("Max data size", field: 5) }
}

import Foundation
import SprintCommunication
import SprintKernels
import Synchronization

/// Who takes part in a run: hosts, threads, cores, and the speed of their matrix products. Rank zero has the roster.
struct RankRoster {
  /// One rank.
  struct Entry: Equatable {
    var host: String
    var threads: Int
    /// The cores that the rank may run on, as /proc writes them: `0-3,8`.
    var cores: String
    /// What computes products.
    var kernels: String
    /// The rate of all its threads together, measured on all ranks at once.
    var rate: PeakRate
    /// FLOP/s in the best moment.
    var peak: Double { rate.best }

    var text: String {
      ([host, "\(threads)", cores, kernels] + [rate.best, rate.median, rate.coreShare].map { "\($0)" })
        .joined(separator: "\t")
    }

    init(host: String, threads: Int, cores: String, kernels: String, rate: PeakRate) {
      (self.host, self.threads, self.cores, self.kernels, self.rate) = (host, threads, cores, kernels, rate)
    }

    init?(text: String) {
      let parts = text.components(separatedBy: "\t")
      let numbers = parts.dropFirst(4).compactMap(Double.init)
      guard parts.count == 7, numbers.count == 3, let threads = Int(parts[1]) else { return nil }
      self.init(
        host: parts[0], threads: threads, cores: parts[2], kernels: parts[3],
        rate: PeakRate(best: numbers[0], median: numbers[1], coreShare: numbers[2]))
    }
  }

  let entries: [Entry]

  init(_ entries: [Entry]) { self.entries = entries }

  /// Measures this rank and gathers the entries of all ranks; returns the roster at rank zero.
  init?(_ communicator: Communicator, _ workers: Workers, _ precision: Precision) throws {
    try communicator.barrier()
    let own = Entry(
      host: ProcessInfo.processInfo.hostName, threads: workers.count, cores: Self.ownCores, kernels: precision.kernels,
      rate: Self.rate(precision, workers))
    let texts = try communicator.gather(own.text)
    guard communicator.rank == 0 else { return nil }
    entries = texts.compactMap(Entry.init)
  }

  /// The rates that this process has measured, by precision and number of threads: its further runs have them already.
  private static let measured = Mutex<[String: PeakRate]>([:])

  private static func rate(_ precision: Precision, _ workers: Workers) -> PeakRate {
    let key = "\(precision) on \(workers.count)"
    if let rate = measured.withLock({ $0[key] }) { return rate }
    let rate = PeakRate.measure(precision, workers: workers)
    measured.withLock { $0[key] = rate }
    return rate
  }

  /// The names of all hosts.
  var hosts: [String] { Set(entries.map(\.host)).sorted() }

  /// FLOP/s of all ranks together.
  var peak: Double { entries.reduce(0) { $0 + $1.peak } }

  /// One line a rank, or a host where there are more than 32 ranks; then warnings.
  var lines: [String] {
    let hosts = hosts.count
    let head =
      "\(entries.count) rank\(entries.count == 1 ? "" : "s") on \(hosts) host\(hosts == 1 ? "" : "s"), "
      + String(format: "%.0f GFLOP/s in matrix products", peak / 1e9)
    return [head] + (entries.count > 1 ? rankLines : [Self.line(entries[0])]) + warnings
  }

  private var rankLines: [String] {
    guard entries.count > 32 else { return entries.indices.map { "  rank \($0): \(Self.line(entries[$0]))" } }
    return Dictionary(grouping: entries.indices) { entries[$0].host }.values.sorted { $0[0] < $1[0] }.map { ranks in
      let sum = ranks.reduce(0) { $0 + entries[$1].peak }
      let threads = ranks.reduce(0) { $0 + entries[$1].threads }
      let disturbed = ranks.count { entries[$0].rate.disturbance != nil }
      return "  \(entries[ranks[0]].host): ranks \(ranks[0]) to \(ranks[ranks.count - 1]), \(threads) threads, "
        + String(format: "%.0f GFLOP/s", sum / 1e9) + (disturbed > 0 ? ", \(disturbed) disturbed by other work" : "")
    }
  }

  private static func line(_ entry: Entry) -> String {
    "\(entry.host), \(entry.threads) threads on cores \(entry.cores), \(entry.kernels), "
      + String(format: "%.0f GFLOP/s", entry.peak / 1e9) + (entry.rate.disturbance.map { ", \($0)" } ?? "")
  }

  /// Names the slowest of several ranks, and hosts with more threads than cores.
  private var warnings: [String] {
    var lines: [String] = []
    if let slowest = entries.indices.min(by: { entries[$0].peak < entries[$1].peak }), entries.count > 1 {
      let share = entries[slowest].peak / median(entries.map(\.peak))
      lines.append(
        "slowest: rank \(slowest) on \(entries[slowest].host), "
          + String(format: "%.0f%% of the median rate; every step waits for it", 100 * share))
    }
    for (host, ranks) in Dictionary(grouping: entries, by: \.host).sorted(by: { $0.key < $1.key }) {
      let threads = ranks.reduce(0) { $0 + $1.threads }
      let cores = ranks.reduce(into: Set<Int>()) { $0.formUnion(Self.numbers($1.cores)) }.count
      if threads > cores, cores > 0 {
        lines.append("warning: \(host) has \(threads) threads on \(cores) cores; give each rank fewer (`threads`)")
      }
    }
    return lines
  }

  private static func numbers(_ list: String) -> [Int] {
    list.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return [] }
      return Array(first...last)
    }
  }

  private static var ownCores: String {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    return line?.split(separator: "\t").last.map(String.init) ?? "?"
  }
}

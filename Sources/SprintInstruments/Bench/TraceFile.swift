import Foundation
import SprintFormats
import SprintKernels

/// A timeline as Chrome's trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing show.
/// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
struct TraceFile: Encodable {
  private struct Event: Encodable {
    let name, cat: String
    /// A complete event, with its begin and its duration.
    let ph = "X"
    /// Microseconds.
    let ts, dur: Double
    let pid, tid: Int
  }

  private let traceEvents: [Event]
  private let displayTimeUnit = "ms"

  /// - Parameter rank: the rank whose threads the spans are of
  init(_ spans: [Trace.Span], rank: Int) {
    let start = spans.map(\.began).min()
    func microseconds(_ from: ContinuousClock.Instant?, _ to: ContinuousClock.Instant) -> Double {
      from.map { (to - $0) / .microseconds(1) } ?? 0
    }
    let threads = Dictionary(spans.map { ($0.thread, $0.began) }, uniquingKeysWith: min)
      .sorted { $0.value < $1.value }.map(\.key)
    traceEvents = spans.map {
      Event(
        name: $0.name, cat: $0.category, ts: microseconds(start, $0.began), dur: microseconds($0.began, $0.ended),
        pid: rank, tid: threads.firstIndex(of: $0.thread) ?? 0)
    }
  }

  func write(to path: String) throws { try AtomicFile.write(try JSONEncoder().encode(self), to: path) }
}

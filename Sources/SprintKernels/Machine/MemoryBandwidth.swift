/// The rate at which memory beyond the caches is read and written.
package enum MemoryBandwidth {
  /// Measures bytes a second, read and written together, while all workers stream a[i] = b[i] + 2 c[i] through a fifth
  /// of a gigabyte. The best of four rounds counts.
  package static func measure(workers: Workers) -> Double {
    let count = 1 << 24
    let arena = Arena(count: 3 * count)
    let parts = (0..<3).map { arena.elements[$0 * count..<($0 + 1) * count] }
    arena.elements.clear()
    var best = 0.0
    for _ in 0..<4 {
      let elapsed = ContinuousClock().measure {
        workers.run(over: count, grain: 1 << 18) { _, slice in
          stream(parts[1][slice], parts[2][slice], into: parts[0][slice])
        }
      }
      best = max(best, Double(3 * 4 * count) / (elapsed / .seconds(1)))
    }
    return best
  }

  private static func stream(_ b: Vector<Float>, _ c: Vector<Float>, into a: Vector<Float>) {
    for i in 0..<a.count { a[i] = b[i] + 2 * c[i] }
  }
}

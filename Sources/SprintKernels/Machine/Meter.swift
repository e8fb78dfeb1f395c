import Synchronization

/// Counts the workers' thread-seconds by part of the work, while a bench has it switched on.
package enum Meter {
  /// A part of the work.
  package enum Part: Int, Sendable, CaseIterable {
    /// Matrix products outside attention.
    case matrixProducts
    /// All of attention: norms, rotation, both products and the softmax.
    case attention
    /// Norms and updates of the optimizer.
    case optimizer
    /// All tasks of `Workers`; the other parts are parts of it.
    case tasks
  }

  private static let isOn = Atomic(false)
  // Nanoseconds. One word each is enough: workers add to them a few thousand times a second.
  private static let matrixProducts = Atomic(0)
  private static let attention = Atomic(0)
  private static let optimizer = Atomic(0)
  private static let tasks = Atomic(0)

  /// Starts counting from zero.
  package static func start() {
    _ = take()
    isOn.store(true, ordering: .relaxed)
  }

  /// Stops counting.
  package static func stop() { isOn.store(false, ordering: .relaxed) }

  /// Returns the thread-seconds counted since the last call and starts again from zero.
  package static func take() -> [Part: Double] {
    Dictionary(
      uniqueKeysWithValues: Part.allCases.map { part in
        (part, Double(add(part) { $0.exchange(0, ordering: .relaxed) }) * 1e-9)
      })
  }

  /// Runs `body` and counts its time as `part`.
  @inline(__always)
  package static func count<T>(_ part: Part, _ body: () throws -> T) rethrows -> T {
    guard isOn.load(ordering: .relaxed) else { return try body() }
    let began = ContinuousClock.now
    defer {
      let nanoseconds = Int((ContinuousClock.now - began) / .nanoseconds(1))
      _ = add(part) { $0.wrappingAdd(nanoseconds, ordering: .relaxed).oldValue }
    }
    return try body()
  }

  private static func add(_ part: Part, _ change: (borrowing Atomic<Int>) -> Int) -> Int {
    switch part {
    case .matrixProducts: change(matrixProducts)
    case .attention: change(attention)
    case .optimizer: change(optimizer)
    case .tasks: change(tasks)
    }
  }
}

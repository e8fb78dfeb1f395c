import Foundation
import SprintKernels

/// Random inputs from a seed that is printed, so that a failure can be repeated with SPRINT_TEST_SEED.
package struct Randomness {
  package let seed: UInt64
  private let random: Philox
  private var draw: UInt64 = 0

  package init(_ what: String = #function) {
    let given = ProcessInfo.processInfo.environment["SPRINT_TEST_SEED"].flatMap { UInt64($0) }
    seed = given ?? UInt64.random(in: 0..<1_000_000)
    print("\(what): seed \(seed)")
    random = Philox(seed: seed, purpose: .noise)
  }

  /// `count` standard normal numbers.
  package mutating func normal(_ count: Int, deviation: Float = 1) -> [Float] {
    draw += 1
    var values = [Float](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: draw) }
    return values.map { $0 * deviation }
  }

  /// A matrix of standard normal numbers in memory of its own.
  package mutating func matrix(_ rows: Int, _ columns: Int, deviation: Float = 1) -> TestMatrix {
    TestMatrix(rows, columns, normal(rows * columns, deviation: deviation))
  }
}

/// A matrix with memory of its own, one row of it padding in front and behind to catch writes outside.
package final class TestMatrix {
  private let arena: Arena
  package let view: Matrix
  private static let mark: Float = 12345.5

  package init(_ rows: Int, _ columns: Int, _ values: [Float]? = nil) {
    let guardCount = columns + 16
    arena = Arena(count: rows * columns + 2 * guardCount)
    for i in 0..<arena.elements.count { arena.elements[i] = TestMatrix.mark }
    view = Matrix(arena.elements.base + guardCount, rows: rows, columns: columns)
    view.clear()
    if let values { for i in values.indices { view.base[i] = values[i] } }
  }

  package var vector: Vector { view.flattened }

  /// Copies of the elements, in float64.
  package var doubles: [Double] { view.flattened.array.map(Double.init) }

  package var naive: NaiveMatrix { NaiveMatrix(rows: view.rows, columns: view.columns, doubles) }

  /// Whether nothing was written outside.
  package var isIntact: Bool {
    let guardCount = view.columns + 16
    return (0..<guardCount).allSatisfy {
      arena.elements[$0] == TestMatrix.mark && arena.elements[arena.elements.count - 1 - $0] == TestMatrix.mark
    }
  }
}

/// ‖got − expected‖ / ‖expected‖
package func relativeError(_ got: [Double], _ expected: [Double]) -> Double {
  precondition(got.count == expected.count, "\(got.count) values against \(expected.count)")
  let difference = zip(got, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
  return difference == 0 ? 0 : difference / norm
}

/// Central differences of `f` at `x` in float64, for every `stride`-th element, against an analytic gradient.
///
/// - Returns: the relative error over the elements looked at
package func gradientError(_ gradient: [Double], at x: [Double], stride step: Int = 1, _ f: ([Double]) -> Double)
  -> Double
{
  var point = x
  let h = 1e-5
  let chosen = Array(Swift.stride(from: 0, to: x.count, by: step))
  let differences = chosen.map { i -> Double in
    point[i] = x[i] + h
    let above = f(point)
    point[i] = x[i] - h
    let below = f(point)
    point[i] = x[i]
    return (above - below) / (2 * h)
  }
  return relativeError(chosen.map { gradient[$0] }, differences)
}

/// Σ a_i b_i
package func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

import Foundation
import SprintKernels

/// Random inputs from a seed. The seed is printed; to repeat a failure, pass it as SPRINT_TEST_SEED.
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

  /// Returns `count` normal numbers of mean 0.
  package mutating func normal(_ count: Int, deviation: Float = 1) -> [Float] {
    draw += 1
    var values = [Float](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: draw) }
    return values.map { $0 * deviation }
  }

  /// Returns a matrix of normal numbers of mean 0, with memory of its own.
  package mutating func matrix(_ rows: Int, _ columns: Int, deviation: Float = 1) -> TestMatrix {
    TestMatrix(rows, columns, normal(rows * columns, deviation: deviation))
  }
}

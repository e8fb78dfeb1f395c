import SprintTraining
import SprintCommunication
import SprintKernels

/// Measures the reduction of gradients over ranks by itself, nothing being computed at the same time.
package struct ReductionBench: Sendable {
  /// What was measured.
  package struct Result: Sendable, Encodable {
    /// Ranks, and the floats that each has.
    package var ranks, count: Int
    /// How summands travel, and whether each rank wants its own shards alone.
    package var wire: String, sharded: Bool
    /// The median of all rounds, and the bytes of gradients over it.
    package var seconds, bytesPerSecond: Double
    /// Whether the sums were right.
    package var isRight: Bool
  }

  private let communicator: Communicator

  /// A bench among the ranks of a communicator.
  package init(_ communicator: Communicator) { self.communicator = communicator }

  /// Reduces `count` floats so many times. Rank zero gets the result.
  package func run(count: Int, wire: GradientReduction.Wire, isSharded: Bool, rounds: Int) throws -> Result? {
    let plan = BucketPlan(count: count, ranks: communicator.size)
    let arena = Arena(count: count)
    let reduction = GradientReduction(communicator, arena.elements, plan, isSharded: isSharded, wire: wire)
    let own = plan.shards(ofRank: communicator.rank)
    // Small whole numbers, whose sums are exact on either wire for as many ranks as bfloat16 counts up to.
    let expected = Float(communicator.size * (communicator.size + 1) / 2)
    var seconds: [Double] = []
    var isRight = true
    for _ in 0..<rounds {
      arena.elements.buffer.update(repeating: Float(communicator.rank + 1))
      try communicator.barrier()
      let elapsed = try ContinuousClock().measure {
        reduction.isFinal(0..<count)
        try reduction.wait()
      }
      seconds.append(elapsed / .seconds(1))
      let tolerance = wire == .float32 ? 0 : expected / 100
      isRight = isRight && own.allSatisfy { arena.elements[$0].buffer.allSatisfy { abs($0 - expected) <= tolerance } }
    }
    let wrong = try communicator.sum([isRight ? 0 : 1])[0]
    guard communicator.rank == 0 else { return nil }
    return Result(
      ranks: communicator.size, count: count, wire: wire.rawValue, sharded: isSharded, seconds: median(seconds),
      bytesPerSecond: 4 * Double(count) / median(seconds), isRight: wrong == 0)
  }
}

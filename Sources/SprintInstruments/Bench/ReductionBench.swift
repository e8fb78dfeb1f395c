import SprintCommunication
import SprintKernels
import SprintTraining

/// Measures the reduction of gradients over ranks while nothing else is computed.
package struct ReductionBench: Sendable {
  /// The result of a bench.
  package struct Result: Sendable, Encodable {
    /// The number of ranks, and of floats at each rank.
    package var ranks, count: Int
    /// The number format in which summands travel, and whether each rank receives only its own shards.
    package var wire: String, sharded: Bool
    /// The median seconds of a round, and the bytes of gradients per second.
    package var seconds, bytesPerSecond: Double
    /// Whether all sums were right.
    package var isRight: Bool
  }

  private let communicator: Communicator

  package init(_ communicator: Communicator) { self.communicator = communicator }

  /// Reduces `count` floats `rounds` times. Returns the result at rank zero, and nil at other ranks.
  package func run(count: Int, wire: GradientReduction.Wire, isSharded: Bool, rounds: Int) throws -> Result? {
    let plan = BucketPlan(count: count, ranks: communicator.size)
    let arena = Arena(count: count)
    let reduction = GradientReduction(communicator, arena.elements, plan, isSharded: isSharded, wire: wire)
    let own = plan.shards(ofRank: communicator.rank)
    // The sums of small whole numbers are exact in both formats, as long as bfloat16 can count the ranks.
    let expected = Float(communicator.size * (communicator.size + 1) / 2)
    var seconds: [Double] = []
    var isRight = true
    for _ in 0..<rounds {
      arena.elements.buffer.update(repeating: Float(communicator.rank + 1))
      try communicator.barrier()
      let elapsed = try ContinuousClock().measure {
        reduction.markFinal(0..<count)
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

import SprintKernels

/// The order in which training visits the samples: every sample exactly once an epoch, in a new order each epoch. The
/// order is a function of (seed, position) alone and needs no table: a Feistel network permutes the numbers below a
/// power of four, and permutes a result outside 0..<count again until it falls inside.
package struct SampleOrder: Sendable {
  private let count: UInt64
  private let random: Philox
  private let halfBits: UInt64

  /// - Parameter count: the number of samples, at least 1
  package init(count: Int, seed: UInt64) {
    precondition(count > 0, "an order of no samples")
    self.count = UInt64(count)
    random = Philox(seed: seed, purpose: .shuffle)
    var bits: UInt64 = 1
    while (1 << (2 * bits)) < self.count { bits += 1 }
    halfBits = bits
  }

  /// Returns the sample at `draw`, counted from the start of training through all epochs.
  package func sample(draw: UInt64) -> Int {
    let (epoch, position) = draw.quotientAndRemainder(dividingBy: count)
    var value = position
    repeat { value = permuted(value, epoch) } while value >= count
    return Int(value)
  }

  /// Permutes a number by eight rounds of a Feistel network with Philox as the round function.
  private func permuted(_ value: UInt64, _ epoch: UInt64) -> UInt64 {
    let mask = (UInt64(1) << halfBits) - 1
    var (left, right) = (value >> halfBits, value & mask)
    for round in 0..<8 as Range<UInt64> {
      let word = UInt64(random.words(draw: epoch, lane: right | round << 60)[0])
      (left, right) = (right, (left ^ word) & mask)
    }
    return left << halfBits | right
  }
}

import Foundation

/// Philox4x32-10: random words as a pure function of a key and a counter, with no state to store or share. Salmon et
/// al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
package struct Philox: Sendable {
  private let key: SIMD2<UInt32>

  /// Makes the generator of a seed and a purpose; generators of different purposes are independent.
  package init(seed: UInt64, purpose: RandomPurpose) {
    let seedKey = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    let mixed = Philox.block(counter: SIMD4(purpose.rawValue, 0, 0, 0x7370_7274), key: seedKey)
    key = SIMD2(mixed[0], mixed[1])
  }

  /// Returns the four random words of block `lane` of draw `draw`.
  package func words(draw: UInt64, lane: UInt64) -> SIMD4<UInt32> {
    Philox.block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: lane), UInt32(truncatingIfNeeded: lane >> 32), UInt32(truncatingIfNeeded: draw),
        UInt32(truncatingIfNeeded: draw >> 32)), key: key)
  }

  /// Returns one number in [0, 1) of draw `draw`.
  package func uniform(draw: UInt64, lane: UInt64 = 0) -> Float { Philox.uniform(words(draw: draw, lane: lane)[0]) }

  /// Fills `values` with the first numbers in [0, 1) of draw `draw`.
  package func fillUniform(_ values: UnsafeMutableBufferPointer<Float>, draw: UInt64) {
    fill(values, draw: draw) { w in
      SIMD4(Philox.uniform(w[0]), Philox.uniform(w[1]), Philox.uniform(w[2]), Philox.uniform(w[3]))
    }
  }

  /// Fills `values` with the first standard normal numbers of draw `draw` (Box-Muller).
  package func fillNormal(_ values: UnsafeMutableBufferPointer<Float>, draw: UInt64) {
    fill(values, draw: draw, Philox.normal)
  }

  /// Returns one standard normal number of draw `draw`.
  package func normal(draw: UInt64) -> Float { Philox.normal(words(draw: draw, lane: 0))[0] }

  private func fill(
    _ values: UnsafeMutableBufferPointer<Float>, draw: UInt64, _ numbers: (SIMD4<UInt32>) -> SIMD4<Float>
  ) {
    for start in stride(from: 0, to: values.count, by: 4) {
      let four = numbers(words(draw: draw, lane: UInt64(start / 4)))
      for i in 0..<min(4, values.count - start) { values[start + i] = four[i] }
    }
  }

  private static func uniform(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }

  private static func normal(_ words: SIMD4<UInt32>) -> SIMD4<Float> {
    let (a, b) = (boxMuller(words[0], words[1]), boxMuller(words[2], words[3]))
    return SIMD4(a.0, a.1, b.0, b.1)
  }

  private static func boxMuller(_ first: UInt32, _ second: UInt32) -> (Float, Float) {
    // In (0, 1], so that the logarithm is finite.
    let radius = (-2 * logf((Float(first >> 8) + 1) * 0x1p-24)).squareRoot()
    let angle = 2 * Float.pi * uniform(second)
    return (radius * cosf(angle), radius * sinf(angle))
  }

  /// Ten rounds of the published bijection.
  static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
      let first = UInt64(0xD251_1F53) * UInt64(c[0])
      let second = UInt64(0xCD9E_8D57) * UInt64(c[2])
      c = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: first))
      k = SIMD2(k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85)
    }
    return c
  }
}

/// The purpose of a random number. A purpose's raw value never changes: old runs could not be repeated.
package enum RandomPurpose: UInt32, Sendable, CaseIterable {
  case initialization = 1
  case shuffle, posterior, flip, labelDrop, time, noise, keptTokens, pathDrop
  case validationTime, validationNoise, validationPosterior
  case sampleStart, sampleSteps
  case gradientCheck
  case sampleLabels
  case classTokenNoise, validationClassTokenNoise, sampleClassTokenStart, sampleClassTokenSteps
}

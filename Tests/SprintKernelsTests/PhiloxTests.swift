import SprintKernels
import Testing

@Suite struct PhiloxTests {
  @Test("A draw's first numbers do not depend on how many are drawn, so any rank and batch size draws the same")
  func prefix() {
    let random = Philox(seed: 3, purpose: .noise)
    var (few, many) = ([Float](repeating: 0, count: 5), [Float](repeating: 0, count: 100))
    few.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: 9) }
    many.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: 9) }
    #expect(few == Array(many[..<5]))
  }

  @Test("Normal numbers have mean 0, deviation 1 and normal tails; uniform numbers fill [0, 1)")
  func distributions() {
    let random = Philox(seed: 11, purpose: .time)
    var values = [Float](repeating: 0, count: 1 << 18)
    values.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: 0) }
    let count = Double(values.count)
    let mean = values.reduce(0.0) { $0 + Double($1) } / count
    let variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / count - mean * mean
    let beyondTwo = Double(values.count { abs($0) > 2 }) / count
    #expect(abs(mean) < 0.01 && abs(variance - 1) < 0.02 && abs(beyondTwo - 0.0455) < 0.003)
    values.withUnsafeMutableBufferPointer { random.fillUniform($0, draw: 1) }
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(values.reduce(0.0) { $0 + Double($1) } / count - 0.5) < 0.005)
  }

  @Test("Purposes, seeds and draws give different numbers")
  func independence() {
    let words = Set(
      RandomPurpose.allCases.flatMap { purpose in
        (0..<3 as Range<UInt64>).flatMap { seed in
          (0..<3 as Range<UInt64>).map { Philox(seed: seed, purpose: purpose).words(draw: $0, lane: 0) }
        }
      })
    #expect(words.count == RandomPurpose.allCases.count * 9)
  }
}

import SprintKernels
import SprintTestSupport
import Testing

@Suite struct ValueMixTests {
  @Test("Values mixed with the first block's, and their three gradients, are right", arguments: [8, 24, 64])
  func mix(width: Int) {
    var random = Randomness()
    let (own, first, dout) = (random.matrix(3, width), random.matrix(6, width), random.matrix(3, width))
    let (rows, share): ([Int32], Float) = ([4, 0, 5], 0.3)
    func naive(_ own: [Double], _ first: [Double], _ share: Double) -> [Double] {
      (0..<3 * width).map { i in
        share * first[Int(rows[i / width]) * width + i % width] + (1 - share) * own[i]
      }
    }
    let mixed = TestMatrix(3, width)
    mixValues(own.view, first.view, rows: rows, share: share, into: mixed.view)
    #expect(relativeError(mixed.doubles, naive(own.doubles, first.doubles, Double(share))) < 1e-6)
    let (upstream, dfirst) = (dout.doubles, TestMatrix(6, width))
    let dshare = mixValuesBackward(dout.view, own.view, first.view, rows: rows, share: share, adding: dfirst.view)
    func loss(_ own: [Double], _ first: [Double], _ share: Double) -> Double {
      inner(naive(own, first, share), upstream)
    }
    #expect(gradientError(dout.doubles, at: own.doubles) { loss($0, first.doubles, Double(share)) } < 1e-3)
    #expect(gradientError(dfirst.doubles, at: first.doubles) { loss(own.doubles, $0, Double(share)) } < 1e-3)
    #expect(
      gradientError([Double(dshare)], at: [Double(share)]) { loss(own.doubles, first.doubles, $0[0]) } < 1e-3)
    #expect(mixed.isIntact && dfirst.isIntact && dout.isIntact)
  }

  @Test("In bfloat16 values mix to the rounded sums of float32", arguments: [24, 64])
  func bfloat16(width: Int) {
    var random = Randomness()
    let (own, first) = (random.matrix(2, width).rounded, random.matrix(4, width).rounded)
    let dout = random.matrix(2, width).rounded
    func results<Element>(
      _ own: GuardedMatrix<Element>, _ first: GuardedMatrix<Element>, _ dout: GuardedMatrix<Element>
    ) -> [[Float]] {
      let (mixed, dfirst) = (GuardedMatrix<Element>(2, width), TestMatrix(4, width))
      mixValues(own.view, first.view, rows: [3, 1], share: 0.3, into: mixed.view)
      let share = mixValuesBackward(
        dout.view, own.view, first.view, rows: [3, 1], share: 0.3, adding: dfirst.view)
      return [mixed, dout].map { $0.floats.map { BFloat16($0).float } } + [dfirst.floats, [share]]
    }
    let twin = results(own.widened, first.widened, dout.widened)
    let isSame = results(own, first, dout) == twin
    #expect(isSame)
  }
}

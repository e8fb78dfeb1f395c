import SprintKernels
import SprintTestSupport
import Testing

@Suite struct ModulationTests {
  @Test(
    "Modulated norms and their three gradients are right for widths with and without a remainder of 16",
    arguments: [(3, 8), (5, 24), (4, 72), (6, 64)], Norm.allCases)
  func modulation(size: (rows: Int, width: Int), norm: Norm) {
    let (rows, width) = size
    var random = Randomness()
    let (x, shift, scale) = (
      random.matrix(rows, width), random.matrix(1, width), random.matrix(1, width, deviation: 0.5)
    )
    let (y, statistics, dy) = (TestMatrix(rows, width), TestMatrix(rows, 2), random.matrix(rows, width))
    // A mean far from zero fails a variance computed as a difference of large numbers.
    for i in 0..<x.vector.count { x.vector[i] += 3 }
    let modulation = ShiftAndScale(shift: shift.vector, scale: scale.vector)
    modulatedNorm(x.view, norm, modulation, into: y.view, statistics: statistics.view)
    func forward(_ x: [Double], _ shift: [Double], _ scale: [Double]) -> [Double] {
      Naive.modulatedNorm(.init(rows: rows, columns: width, x), norm, shift: shift, scale: scale).values
    }
    #expect(relativeError(y.doubles, forward(x.doubles, shift.doubles, scale.doubles)) < 2e-6)

    let (again, dx) = (TestMatrix(rows, width), TestMatrix(rows, width))
    let (dshift, dscale) = (TestMatrix(1, width), TestMatrix(1, width))
    modulatedNormBackward(
      dy.view, x.view, norm, modulation, statistics: statistics.view, recomputing: again.view, adding: dx.view,
      adding: ShiftAndScale(shift: dshift.vector, scale: dscale.vector))
    #expect(again.doubles == y.doubles, "the recomputed output must equal the forward pass's to the bit")
    #expect(
      gradientError(dx.doubles, at: x.doubles, stride: 3) {
        inner(forward($0, shift.doubles, scale.doubles), dy.doubles)
      } < 1e-3)
    #expect(
      gradientError(dshift.doubles, at: shift.doubles) { inner(forward(x.doubles, $0, scale.doubles), dy.doubles) }
        < 1e-3)
    #expect(
      gradientError(dscale.doubles, at: scale.doubles) { inner(forward(x.doubles, shift.doubles, $0), dy.doubles) }
        < 1e-3)
    #expect(y.isIntact && dx.isIntact && dshift.isIntact && dscale.isIntact && statistics.isIntact)
  }

  @Test("The gated residual and its gradients are right", arguments: [(3, 8), (4, 40)])
  func gated(rows: Int, width: Int) {
    var random = Randomness()
    let (x, y, gate) = (random.matrix(rows, width), random.matrix(rows, width), random.matrix(1, width))
    let (out, dout) = (TestMatrix(rows, width), random.matrix(rows, width))
    gatedResidual(x.view, y.view, gate: gate.vector, into: out.view)
    #expect(relativeError(out.doubles, Naive.gatedResidual(x.naive, y.naive, gate: gate.doubles).values) < 1e-6)
    let (dy, dgate) = (TestMatrix(rows, width), TestMatrix(1, width))
    gatedResidualBackward(dout.view, y.view, gate: gate.vector, into: dy.view, adding: dgate.vector)
    func loss(_ y: [Double], _ gate: [Double]) -> Double {
      inner(Naive.gatedResidual(x.naive, .init(rows: rows, columns: width, y), gate: gate).values, dout.doubles)
    }
    #expect(gradientError(dy.doubles, at: y.doubles) { loss($0, gate.doubles) } < 1e-3)
    #expect(gradientError(dgate.doubles, at: gate.doubles) { loss(y.doubles, $0) } < 1e-3)
    #expect(out.isIntact && dy.isIntact)
  }

  @Test("The RMS norm with weights and its two gradients are right, also of small numbers", arguments: [8, 24, 64])
  func rms(width: Int) {
    var random = Randomness()
    let (x, weight) = (random.matrix(3, width, deviation: 1e-3), random.matrix(1, width))
    let (y, dy) = (TestMatrix(3, width), random.matrix(3, width))
    func naive(_ x: [Double], _ weight: [Double]) -> [Double] {
      Naive.rmsNorm(.init(rows: 3, columns: width, x), weight: weight).values
    }
    rmsNorm(x.view, weight: weight.vector, into: y.view)
    #expect(relativeError(y.doubles, naive(x.doubles, weight.doubles)) < 1e-6)
    let (dx, dweight) = (TestMatrix(3, width), TestMatrix(1, width))
    rmsNormBackward(dy.view, x.view, weight: weight.vector, into: dx.view, adding: dweight.vector)
    #expect(gradientError(dx.doubles, at: x.doubles) { inner(naive($0, weight.doubles), dy.doubles) } < 1e-3)
    #expect(gradientError(dweight.doubles, at: weight.doubles) { inner(naive(x.doubles, $0), dy.doubles) } < 1e-3)
    #expect(y.isIntact && dx.isIntact && dweight.isIntact)
  }
}

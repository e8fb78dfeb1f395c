import SprintKernels
import SprintTestSupport
import Testing

/// Every operation in bfloat16 has to be the float32 operation on the same numbers, rounded once.
@Suite struct BFloat16Tests {
  /// The numbers of a matrix as the bits of bfloat16 numbers.
  private func bits<Element>(_ matrix: GuardedMatrix<Element>) -> [UInt16] { matrix.floats.map { BFloat16($0).bits } }

  @Test("Numbers are rounded to the nearest, ties to even; NaN and infinities stay")
  func rounding() {
    for bits in UInt16.min...UInt16.max {
      let value = Float(bitPattern: UInt32(bits) << 16)
      #expect(value.isNaN ? BFloat16(value).float.isNaN : BFloat16(value).bits == bits)
      guard value.isNormal, value.nextUp.isFinite else { continue }
      let next = Float(bitPattern: UInt32(bits &+ 1) << 16)
      guard next.isFinite else { continue }
      let half = Float(bitPattern: UInt32(bits) << 16 | 0x8000)
      #expect(BFloat16(half).bits == (bits & 1 == 0 ? bits : bits &+ 1), "a tie goes to the even neighbour")
      #expect(BFloat16(Float(bitPattern: half.bitPattern - 1)).bits == bits)
      #expect(BFloat16(Float(bitPattern: half.bitPattern + 1)).bits == bits &+ 1)
    }
    #expect(BFloat16(.greatestFiniteMagnitude).float == .infinity)
    #expect(BFloat16(Float(bitPattern: 0x7f80_0001)).float.isNaN, "a NaN whose upper half is infinity's")
  }

  /// If this fails, the sixteen lanes of a register and the remainder of a row are rounded in different ways.
  @Test("Whole registers are rounded as single numbers are")
  func registers() {
    var random = Randomness()
    let special: [Float] = [0, -0, .infinity, -.infinity, .nan, 1.0 / 256 + 1, 3.0 / 256 + 1, .greatestFiniteMagnitude]
    let values = TestMatrix(1, 1024, special + random.normal(1016, deviation: 1e10))
    let (rounded, widened) = (RoundedMatrix(1, 1024), TestMatrix(1, 1024))
    rounded.view.copy(from: values.view)
    widened.view.copy(from: rounded.view)
    #expect(rounded.vector.array.map(\.bits) == values.floats.map { BFloat16($0).bits })
    #expect(widened.floats.map(\.bitPattern) == rounded.floats.map(\.bitPattern))
    #expect(rounded.isIntact && widened.isIntact)
  }

  @Test("Activations and their gradients", arguments: [32, 37])
  func activations(width: Int) {
    var random = Randomness()
    let (x, dy) = (random.matrix(5, width, deviation: 3).rounded, random.matrix(5, width).rounded)
    let (twin, twinGradient) = (x.widened, dy.widened)
    let (y, right) = (RoundedMatrix(5, width), TestMatrix(5, width))
    gelu(x.view, into: y.view)
    gelu(twin.view, into: right.view)
    #expect(bits(y) == bits(right))
    geluBackward(dy.view, x.view, recomputing: x.view)
    geluBackward(twinGradient.view, twin.view, recomputing: twin.view)
    #expect(bits(dy) == bits(twinGradient) && bits(x) == bits(right))

    let (z, slope) = (random.matrix(5, width), random.matrix(5, width).rounded)
    let twinSlope = slope.widened
    silu(z.view, into: y.view)
    silu(z.view, into: right.view)
    siluBackward(slope.view, z.view)
    siluBackward(twinSlope.view, z.view)
    #expect(bits(y) == bits(right) && bits(slope) == bits(twinSlope))
    #expect(x.isIntact && y.isIntact && dy.isIntact && slope.isIntact)
  }

  @Test("Norms and gated sums, whose float32 results do not depend on the format", arguments: [64, 72], Norm.allCases)
  func modulation(width: Int, norm: Norm) {
    var random = Randomness()
    let (x, dy) = (random.matrix(3, width), random.matrix(3, width).rounded)
    let vectors = (0..<4).map { _ in random.matrix(1, width) }
    let modulation = ShiftAndScale(shift: vectors[0].vector, scale: vectors[1].vector)
    let (y, right, statistics) = (RoundedMatrix(3, width), TestMatrix(3, width), TestMatrix(3, 2))
    modulatedNorm(x.view, norm, modulation, into: right.view, statistics: statistics.view)
    modulatedNorm(x.view, norm, modulation, into: y.view, statistics: statistics.view)
    #expect(bits(y) == bits(right))

    func gradients<Element>(_ dy: GuardedMatrix<Element>) -> [[Float]] {
      let (again, dx) = (GuardedMatrix<Element>(3, width), TestMatrix(3, width))
      let (dshift, dscale) = (TestMatrix(1, width), TestMatrix(1, width))
      modulatedNormBackward(
        dy.view, x.view, norm, modulation, statistics: statistics.view, recomputing: again.view, adding: dx.view,
        adding: ShiftAndScale(shift: dshift.vector, scale: dscale.vector))
      return [dx.floats, dshift.floats, dscale.floats, again.floats.map { BFloat16($0).float }]
    }
    let isSame = gradients(dy) == gradients(dy.widened)
    #expect(isSame)

    func sums<Element>(_ added: GuardedMatrix<Element>) -> [[Float]] {
      let (out, dgate) = (TestMatrix(3, width), TestMatrix(1, width))
      let gradient = GuardedMatrix<Element>(3, width)
      gatedResidual(x.view, added.view, gate: vectors[2].vector, into: out.view)
      gatedResidualBackward(
        x.view, added.view, gate: vectors[2].vector, into: gradient.view, adding: dgate.vector)
      return [out.floats, dgate.floats, gradient.floats.map { BFloat16($0).float }]
    }
    let areSameSums = sums(dy) == sums(dy.widened)
    #expect(areSameSums)
  }

  @Test("Turned norms and sums of rows", arguments: [64, 72])
  func turnedNorms(width: Int) {
    var random = Randomness()
    let table = RotaryTable(grid: 4, headWidth: width, theta: 10000)
    let positions: [Int32] = [3, 15, 0]
    let (x, weight) = (random.matrix(3, width).rounded, random.matrix(1, width).rounded)
    let dy = random.matrix(3, width).rounded
    func results<Element>(
      _ x: GuardedMatrix<Element>, _ weight: GuardedMatrix<Element>, _ dy: GuardedMatrix<Element>
    ) -> [[UInt16]] {
      let (y, dweight, dbias) = (GuardedMatrix<Element>(3, width), TestMatrix(1, width), TestMatrix(1, width))
      turnedNorm(x.view, weight: weight.vector, epsilon: 1e-6, table, positions: positions, into: y.view)
      biasBackward(dy.view, adding: dbias.vector)
      turnedNormBackward(
        dy.view, x.view, weight: weight.vector, epsilon: 1e-6, table, positions: positions, into: dy.view,
        adding: dweight.vector)
      return [bits(y), bits(dy), bits(dweight), bits(dbias)]
    }
    // The gradient is turned in place.
    let twin = results(x.widened, weight.widened, dy.widened)
    let isSame = results(x, weight, dy) == twin
    #expect(isSame)
  }
}

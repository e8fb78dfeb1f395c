import SprintKernels
import SprintTestSupport
import Testing

@Suite struct LinearTests {
  @Test(
    "A linear layer and its three gradients are right",
    arguments: [(5, 7, 3), (33, 20, 48), (64, 64, 17)])
  func linearLayer(rows: Int, inputs: Int, outputs: Int) {
    var random = Randomness()
    let (x, w, b) = (random.matrix(rows, inputs), random.matrix(outputs, inputs), random.matrix(1, outputs))
    let (y, dy) = (TestMatrix(rows, outputs), random.matrix(rows, outputs))
    linear(x.view, weight: w.view, bias: b.vector, into: y.view)
    #expect(relativeError(y.doubles, Naive.linear(x.naive, w.naive, b.doubles).values) < 1e-6)

    let (dx, dw, db) = (TestMatrix(rows, inputs), TestMatrix(outputs, inputs), TestMatrix(1, outputs))
    linearBackward(dy.view, weight: w.view, into: dx.view)
    linearWeightBackward(dy.view, x.view, adding: dw.view, outputs: 0..<outputs / 2)
    linearWeightBackward(dy.view, x.view, adding: dw.view, outputs: outputs / 2..<outputs)
    biasBackward(dy.view, adding: db.vector)
    func loss(_ x: NaiveMatrix, _ w: NaiveMatrix, _ b: [Double]) -> Double {
      inner(Naive.linear(x, w, b).values, dy.doubles)
    }
    #expect(
      gradientError(dx.doubles, at: x.doubles, stride: 7) {
        loss(.init(rows: rows, columns: inputs, $0), w.naive, b.doubles)
      } < 1e-3)
    #expect(
      gradientError(dw.doubles, at: w.doubles, stride: 11) {
        loss(x.naive, .init(rows: outputs, columns: inputs, $0), b.doubles)
      } < 1e-3)
    #expect(gradientError(db.doubles, at: b.doubles) { loss(x.naive, w.naive, $0) } < 1e-3)
    #expect(y.isIntact && dx.isIntact && dw.isIntact && db.isIntact)
  }

  /// If this fails, a float32 product is wrong where it is large enough for oneDNN, or too large.
  @Test(
    "Layers of every size are right in float32, whichever library multiplies",
    arguments: [(192, 160, 160), (9, 1100, 960)])
  func libraries(rows: Int, inputs: Int, outputs: Int) {
    var random = Randomness()
    let (x, w, b) = (random.matrix(rows, inputs), random.matrix(outputs, inputs), random.matrix(1, outputs))
    let (y, dy) = (TestMatrix(rows, outputs), random.matrix(rows, outputs))
    linear(x.view, weight: w.view, bias: b.vector, into: y.view)
    #expect(relativeError(y.doubles, Naive.linear(x.naive, w.naive, b.doubles).values) < 1e-6)

    let (dx, sum) = (TestMatrix(rows, inputs), random.matrix(rows, inputs))
    let before = sum.doubles
    linearBackward(dy.view, weight: w.view, into: dx.view)
    linearBackward(dy.view, weight: w.view, adding: sum.view)
    let naive = Naive.multiply(dy.naive, w.naive).values
    #expect(relativeError(dx.doubles, naive) < 1e-6)
    #expect(relativeError(sum.doubles, zip(before, naive).map(+)) < 1e-6)
    #expect(y.isIntact && dx.isIntact && sum.isIntact)
  }

  @Test("Gradients of parameters are added to, as gradient accumulation needs")
  func gradientsAccumulate() {
    var random = Randomness()
    let (x, dy) = (random.matrix(9, 6), random.matrix(9, 4))
    let (once, twice) = (TestMatrix(4, 6), TestMatrix(4, 6))
    linearWeightBackward(dy.view, x.view, adding: once.view, outputs: 0..<4)
    for _ in 0..<2 { linearWeightBackward(dy.view, x.view, adding: twice.view, outputs: 0..<4) }
    #expect(relativeError(twice.doubles, once.doubles.map { 2 * $0 }) < 1e-6)
  }

  @Test("A data gradient is added to or set, as its label says, also for a product of no elements")
  func labels() {
    var random = Randomness()
    let (dy, w) = (random.matrix(5, 3), random.matrix(3, 4))
    let (set, added) = (random.matrix(5, 4), random.matrix(5, 4))
    let before = added.doubles
    linearBackward(dy.view, weight: w.view, into: set.view)
    linearBackward(dy.view, weight: w.view, adding: added.view)
    #expect(relativeError(set.doubles, Naive.multiply(dy.naive, w.naive).values) < 1e-6)
    #expect(relativeError(added.doubles, zip(before, set.doubles).map(+)) < 1e-6)
    let after = added.doubles
    let (nothing, none) = (dy.view.columns(0..<0), w.view.rows(0..<0))
    linearBackward(nothing, weight: none, adding: added.view)
    linearBackward(nothing, weight: none, into: set.view)
    #expect(added.doubles == after && set.doubles.allSatisfy { $0 == 0 })
  }
}

import SprintKernels
import SprintTestSupport
import Testing

@Suite struct LinearTests {
  @Test(
    "A linear layer and all three of its gradients follow the formula",
    arguments: [(5, 7, 3), (33, 20, 48), (64, 64, 17)])
  func linearLayer(rows: Int, inputs: Int, outputs: Int) {
    var random = Randomness()
    let (x, w, b) = (random.matrix(rows, inputs), random.matrix(outputs, inputs), random.matrix(1, outputs))
    let (y, dy) = (TestMatrix(rows, outputs), random.matrix(rows, outputs))
    linear(x.view, weight: w.view, bias: b.vector, into: y.view)
    #expect(relativeError(y.doubles, Naive.linear(x.naive, w.naive, b.doubles).values) < 1e-6)

    let (dx, dw, db) = (TestMatrix(rows, inputs), TestMatrix(outputs, inputs), TestMatrix(1, outputs))
    linearBackward(dy.view, weight: w.view, into: dx.view)
    linearWeightBackward(dy.view, x.view, into: dw.view, outputs: 0..<outputs / 2)
    linearWeightBackward(dy.view, x.view, into: dw.view, outputs: outputs / 2..<outputs)
    biasBackward(dy.view, into: db.vector)
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

  @Test("Parameter gradients are added to what is there, which gradient accumulation needs")
  func gradientsAccumulate() {
    var random = Randomness()
    let (x, dy) = (random.matrix(9, 6), random.matrix(9, 4))
    let (once, twice) = (TestMatrix(4, 6), TestMatrix(4, 6))
    linearWeightBackward(dy.view, x.view, into: once.view, outputs: 0..<4)
    for _ in 0..<2 { linearWeightBackward(dy.view, x.view, into: twice.view, outputs: 0..<4) }
    #expect(relativeError(twice.doubles, once.doubles.map { 2 * $0 }) < 1e-6)
  }
}

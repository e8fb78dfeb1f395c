import Foundation
import SprintKernels
import SprintTestSupport
import Testing

@Suite struct ElementwiseTests {
  @Test("GELU, SiLU and their gradients are right, also far from zero")
  func activations() {
    var random = Randomness()
    let x = random.matrix(5, 37, deviation: 4)
    let dy = random.matrix(5, 37)
    x.vector[0] = 200
    x.vector[1] = -200
    let (y, again) = (TestMatrix(5, 37), TestMatrix(5, 37))
    gelu(x.view, into: y.view)
    #expect(relativeError(y.doubles, x.naive.map(Naive.gelu).values) < 1e-6)
    let upstream = dy.doubles
    geluBackward(dy.view, x.view, recomputing: again.view)
    #expect(again.doubles == y.doubles, "the recomputed activation must equal the forward pass's to the bit")
    #expect(gradientError(dy.doubles, at: x.doubles) { inner($0.map(Naive.gelu), upstream) } < 1e-3)

    let slope = TestMatrix(5, 37, upstream.map { Float($0) })
    silu(x.view, into: y.view)
    #expect(relativeError(y.doubles, x.naive.map(Naive.silu).values) < 1e-6)
    siluBackward(slope.view, x.view)
    #expect(gradientError(slope.doubles, at: x.doubles) { inner($0.map(Naive.silu), upstream) } < 1e-3)
    #expect(y.isIntact && slope.isIntact && dy.isIntact)
  }

  @Test("Gathered rows return to their places, and the others stay")
  func gatherAndScatter() {
    var random = Randomness()
    let x = random.matrix(6, 10)
    let rows: [Int32] = [4, 0, 5]
    let (picked, restored, sums) = (TestMatrix(3, 10), TestMatrix(6, 10), TestMatrix(6, 10))
    gatherRows(x.view, rows, into: picked.view)
    #expect(
      picked.naive.row(0) == x.naive.row(4) && picked.naive.row(1) == x.naive.row(0)
        && picked.naive.row(2) == x.naive.row(5))
    scatterRows(picked.view, rows, into: restored.view)
    gatherRowsBackward(picked.view, rows, adding: sums.view)
    for row in 0..<6 {
      let expected = rows.contains(Int32(row)) ? x.naive.row(row) : [Double](repeating: 0, count: 10)
      #expect(restored.naive.row(row) == expected && sums.naive.row(row) == expected)
    }
  }

  @Test("An embedding row is added, and its gradient reaches that row as often as the row is used")
  func embedding() {
    var random = Randomness()
    let (table, gradient, dout) = (random.matrix(4, 6), TestMatrix(4, 6), random.matrix(3, 6))
    let out = TestMatrix(3, 6)
    addEmbedding(table.view, ids: [3, 1, 3], to: out.view)
    #expect(out.naive.row(0) == table.naive.row(3) && out.naive.row(1) == table.naive.row(1))
    addEmbeddingBackward(dout.view, ids: [3, 1, 3], adding: gradient.view)
    #expect(relativeError(gradient.naive.row(3), zip(dout.naive.row(0), dout.naive.row(2)).map(+)) < 1e-6)
    #expect(gradient.naive.row(0).allSatisfy { $0 == 0 })
  }

  @Test("Time features are the cosines, then the sines, of t times falling frequencies")
  func time() {
    let out = TestMatrix(2, 256)
    timeFeatures([0, 0.75], into: out.view)
    let expected = (0..<256).map { i -> Double in
      let angle = 0.75 * exp(-log(10000) * Double(i % 128) / 128)
      return i < 128 ? cos(angle) : sin(angle)
    }
    #expect(relativeError(out.naive.row(1), expected) < 1e-6)
    #expect(out.naive.row(0) == (0..<256).map { $0 < 128 ? 1 : 0 })
  }

  @Test("Squared error, cosine similarity and their gradients are right")
  func losses() {
    var random = Randomness()
    let (x, y, dx) = (random.matrix(1, 50), random.matrix(1, 50), TestMatrix(1, 50))
    func square(_ x: [Double]) -> Double { zip(x, y.doubles).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
    #expect(abs(squaredError(x.vector, y.vector) / square(x.doubles) - 1) < 1e-6)
    squaredErrorBackward(x.vector, y.vector, factor: 2, into: dx.vector)
    #expect(gradientError(dx.doubles, at: x.doubles, square) < 1e-3)
    #expect(abs(Double(cosineSimilarity(x.vector, y.vector)) - Naive.cosine(x.doubles, y.doubles)) < 1e-6)
    cosineSimilarityBackward(x.vector, y.vector, factor: -3, into: dx.vector)
    #expect(gradientError(dx.doubles, at: x.doubles) { -3 * Naive.cosine($0, y.doubles) } < 1e-3)
    let zero = TestMatrix(1, 50)
    #expect(cosineSimilarity(zero.vector, y.vector) == 0, "a feature of zeros must not make the loss NaN")
  }

  @Test("AdamW makes the published update, moving average included, and leaves the gradients")
  func adam() {
    var random = Randomness()
    let count = 1003
    let (w, g, a) = (random.matrix(1, count), random.matrix(1, count), random.matrix(1, count))
    let (m, v) = (TestMatrix(1, count), TestMatrix(1, count))
    var (weights, average, first, second) = (w.doubles, a.doubles, m.doubles, v.doubles)
    for step in 1...3 {
      let gradients = random.normal(count)
      for i in 0..<count { g.vector[i] = gradients[i] }
      adamW(
        AdamWStep(
          step: step, learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1,
          gradientFactor: 0.5, ema: 0.9999),
        AdamWSlices(
          weights: w.vector, gradients: g.vector, firstMoment: m.vector, secondMoment: v.vector, average: a.vector))
      for i in 0..<count {
        let gradient = Double(gradients[i]) * 0.5
        first[i] = 0.9 * first[i] + 0.1 * gradient
        second[i] = 0.999 * second[i] + 0.001 * gradient * gradient
        let corrected = (second[i] / (1 - pow(0.999, Double(step)))).squareRoot() + 1e-8
        weights[i] = weights[i] * (1 - 0.01 * 0.1) - 0.01 / (1 - pow(0.9, Double(step))) * first[i] / corrected
        average[i] += 0.0001 * (weights[i] - average[i])
      }
      #expect(g.floats == gradients)
    }
    for (got, expected) in [(w.doubles, weights), (a.doubles, average), (m.doubles, first), (v.doubles, second)] {
      #expect(relativeError(got, expected) < 1e-6)
    }
    #expect(w.isIntact && a.isIntact && m.isIntact && v.isIntact && g.isIntact)
  }

  /// If this fails, passes compute with other weights than those that were trained.
  @Test("AdamW with a rounded copy makes the same update, to the bit, and writes it rounded")
  func roundedCopy() {
    var random = Randomness()
    let starts = (0..<5).map { _ in random.normal(1003).map(abs) }
    func updated(_ rounded: RoundedMatrix?) -> [[Float]] {
      let m = starts.map { TestMatrix(1, 1003, $0) }
      let slices = AdamWSlices(
        weights: m[0].vector, gradients: m[1].vector, firstMoment: m[2].vector, secondMoment: m[3].vector,
        average: m[4].vector)
      let step = AdamWStep(
        step: 2, learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, gradientFactor: 0.5,
        ema: 0.99)
      if let rounded { adamW(step, slices, rounded: rounded.vector) } else { adamW(step, slices) }
      return m.map(\.floats)
    }
    let rounded = RoundedMatrix(1, 1003)
    let found = updated(rounded)
    #expect(found == updated(nil))
    #expect(rounded.floats == found[0].map { BFloat16($0).float } && rounded.isIntact)
  }

  @Test("The average of constant weights stays what it is, to the bit, however many updates follow")
  func steadyAverage() {
    var random = Randomness()
    let (w, g) = (random.matrix(1, 64), TestMatrix(1, 64))
    let (m, v, a) = (TestMatrix(1, 64), TestMatrix(1, 64), TestMatrix(1, 64))
    a.vector.copy(from: w.vector)
    for step in 1...8000 {
      adamW(
        AdamWStep(
          step: step, learningRate: 1e-30, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, gradientFactor: 1,
          ema: 0.9999),
        AdamWSlices(
          weights: w.vector, gradients: g.vector, firstMoment: m.vector, secondMoment: v.vector, average: a.vector))
    }
    #expect(a.doubles == w.doubles)
  }
}

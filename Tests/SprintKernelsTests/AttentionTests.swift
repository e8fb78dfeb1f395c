import SprintKernels
import SprintTestSupport
import Testing

@Suite struct AttentionTests {
  @Test(
    "Softmax attention and its three gradients are right for token counts with and without a remainder of 16",
    arguments: [(5, 8), (16, 12), (37, 72)])
  func softmaxAttention(tokens: Int, width: Int) {
    var random = Randomness()
    let (q, k, v) = (random.matrix(tokens, width), random.matrix(tokens, width), random.matrix(tokens, width))
    let (out, dout) = (TestMatrix(tokens, width), random.matrix(tokens, width))
    let (log, scores, gradients) = (TestMatrix(tokens, 1), TestMatrix(tokens, tokens), TestMatrix(tokens, tokens))
    let head = AttentionHead(query: q.view, key: k.view, value: v.view)
    attention(head, into: out.view, logSumExp: log.view, scores: scores.view)
    #expect(relativeError(out.doubles, Naive.attention(q.naive, k.naive, v.naive).values) < 2e-6)

    let (dq, dk, dv) = (TestMatrix(tokens, width), TestMatrix(tokens, width), TestMatrix(tokens, width))
    attentionBackward(
      dout.view, head, out: out.view, logSumExp: log.view,
      into: AttentionHead(query: dq.view, key: dk.view, value: dv.view), scores: scores.view,
      scoreGradients: gradients.view)
    func matrix(_ values: [Double]) -> NaiveMatrix { .init(rows: tokens, columns: width, values) }
    func loss(_ q: NaiveMatrix, _ k: NaiveMatrix, _ v: NaiveMatrix) -> Double {
      inner(Naive.attention(q, k, v).values, dout.doubles)
    }
    let stride = max(1, tokens * width / 40)
    #expect(gradientError(dq.doubles, at: q.doubles, stride: stride) { loss(matrix($0), k.naive, v.naive) } < 1e-3)
    #expect(gradientError(dk.doubles, at: k.doubles, stride: stride) { loss(q.naive, matrix($0), v.naive) } < 1e-3)
    #expect(gradientError(dv.doubles, at: v.doubles, stride: stride) { loss(q.naive, k.naive, matrix($0)) } < 1e-3)
    #expect(out.isIntact && dq.isIntact && dk.isIntact && dv.isIntact && scores.isIntact && log.isIntact)
  }

  @Test("Large scores do not overflow, and the largest wins")
  func largeScores() {
    let q = TestMatrix(3, 4, [200, 0, 0, 0, 0, 200, 0, 0, 0, 0, 200, 0])
    let v = TestMatrix(3, 4, (0..<12).map(Float.init))
    let (out, log, scores) = (TestMatrix(3, 4), TestMatrix(3, 1), TestMatrix(3, 3))
    attention(
      AttentionHead(query: q.view, key: q.view, value: v.view), into: out.view, logSumExp: log.view,
      scores: scores.view)
    #expect(relativeError(out.doubles, v.doubles) < 1e-6)
  }

  @Test(
    "RMS norm and its gradients are right, also in place as attention uses it", arguments: [(3, 12), (4, 64), (2, 72)])
  func rms(rows: Int, width: Int) {
    var random = Randomness()
    let (x, weight, dy) = (random.matrix(rows, width), random.matrix(1, width), random.matrix(rows, width))
    let y = TestMatrix(rows, width)
    rmsNorm(x.view, weight: weight.vector, into: y.view)
    #expect(relativeError(y.doubles, Naive.rmsNorm(x.naive, weight: weight.doubles).values) < 1e-6)
    let (upstream, dweight) = (dy.doubles, TestMatrix(1, width))
    rmsNormBackward(dy.view, x.view, weight: weight.vector, into: dy.view, adding: dweight.vector)
    func loss(_ x: [Double], _ weight: [Double]) -> Double {
      inner(Naive.rmsNorm(.init(rows: rows, columns: width, x), weight: weight).values, upstream)
    }
    #expect(gradientError(dy.doubles, at: x.doubles) { loss($0, weight.doubles) } < 1e-3)
    #expect(gradientError(dweight.doubles, at: weight.doubles) { loss(x.doubles, $0) } < 1e-3)
    #expect(y.isIntact && dweight.isIntact)
  }

  @Test(
    "The rotary embedding turns by row and column as published, and its backward is its gradient",
    arguments: [12, 64, 72])
  func rotary(width: Int) {
    var random = Randomness()
    let table = RotaryTable(grid: 5, headWidth: width, theta: 10000)
    let positions: [Int32] = [24, 0, 7, 13]
    let (x, dy) = (random.matrix(4, width), random.matrix(4, width))
    func naive(_ x: [Double]) -> [Double] {
      Naive.rotate(.init(rows: 4, columns: width, x), grid: 5, positions: positions.map(Int.init), theta: 10000).values
    }
    let before = x.doubles
    rotate(x.view, table, positions: positions)
    #expect(relativeError(x.doubles, naive(before)) < 1e-6)
    let upstream = dy.doubles
    rotateBackward(dy.view, table, positions: positions)
    #expect(gradientError(dy.doubles, at: before) { inner(naive($0), upstream) } < 1e-3)
    #expect(x.isIntact && dy.isIntact)
  }
}

import SprintKernels
import SprintTestSupport
import Testing

@Suite struct AttentionTests {
  private func heads<Element>(
    _ query: Matrix<Element>, _ key: Matrix<Element>, _ value: Matrix<Element>
  ) -> AttentionHeads<Element> {
    AttentionHeads(query: MatrixStack(query), key: MatrixStack(key), value: MatrixStack(value))
  }

  /// float32 scores and probabilities share their memory.
  private func scratch(_ scores: MatrixStack<Float>, _ gradients: MatrixStack<Float>) -> AttentionScratch<Float> {
    AttentionScratch(scores: scores, probabilities: scores, scoreGradients: gradients, differences: gradients)
  }

  @Test(
    "Softmax attention and its three gradients are right for token counts with and without a remainder of 16",
    arguments: [(5, 8), (16, 12), (37, 72)])
  func softmaxAttention(tokens: Int, width: Int) {
    var random = Randomness()
    let (q, k, v) = (random.matrix(tokens, width), random.matrix(tokens, width), random.matrix(tokens, width))
    let (out, dout) = (TestMatrix(tokens, width), random.matrix(tokens, width))
    let (log, scores, gradients) = (TestMatrix(tokens, 1), TestMatrix(tokens, tokens), TestMatrix(tokens, tokens))
    let head = heads(q.view, k.view, v.view)
    let scratch = self.scratch(MatrixStack(scores.view), MatrixStack(gradients.view))
    attention(head, into: MatrixStack(out.view), logSumExp: log.view, scratch)
    #expect(relativeError(out.doubles, Naive.attention(q.naive, k.naive, v.naive).values) < 2e-6)

    let (dq, dk, dv) = (TestMatrix(tokens, width), TestMatrix(tokens, width), TestMatrix(tokens, width))
    attentionBackward(
      MatrixStack(dout.view), head, out: MatrixStack(out.view), logSumExp: log.view,
      into: heads(dq.view, dk.view, dv.view), scratch)
    func matrix(_ values: [Double]) -> NaiveMatrix { .init(rows: tokens, columns: width, values) }
    func loss(_ q: NaiveMatrix, _ k: NaiveMatrix, _ v: NaiveMatrix) -> Double {
      inner(Naive.attention(q, k, v).values, dout.doubles)
    }
    let stride = max(1, tokens * width / 40)
    #expect(gradientError(dq.doubles, at: q.doubles, stride: stride) { loss(matrix($0), k.naive, v.naive) } < 1e-3)
    #expect(gradientError(dk.doubles, at: k.doubles, stride: stride) { loss(q.naive, matrix($0), v.naive) } < 1e-3)
    #expect(gradientError(dv.doubles, at: v.doubles, stride: stride) { loss(q.naive, k.naive, matrix($0)) } < 1e-3)
    #expect(out.isIntact && dq.isIntact && dk.isIntact && dv.isIntact && scores.isIntact && log.isIntact)
    #expect(gradients.isIntact)
  }

  @Test("Large scores do not overflow, and the largest wins")
  func largeScores() {
    let q = TestMatrix(3, 4, [200, 0, 0, 0, 0, 200, 0, 0, 0, 0, 200, 0])
    let v = TestMatrix(3, 4, (0..<12).map(Float.init))
    let (out, log, scores) = (TestMatrix(3, 4), TestMatrix(3, 1), TestMatrix(3, 3))
    let stack = MatrixStack(scores.view)
    attention(
      heads(q.view, q.view, v.view), into: MatrixStack(out.view), logSumExp: log.view, scratch(stack, stack))
    #expect(relativeError(out.doubles, v.doubles) < 1e-6)
    withExtendedLifetime((log, scores)) {}
  }

  /// If this fails, heads that are computed at once reach into each other.
  @Test("Heads at once, in the columns of a token matrix, are the same as one after another")
  func headsAtOnce() {
    var random = Randomness()
    let (tokens, width, count) = (21, 8, 3)
    let (qkv, out) = (random.matrix(tokens, 3 * width * count), TestMatrix(tokens, width * count))
    let (log, scores) = (TestMatrix(tokens, count), TestMatrix(count * tokens, tokens))
    let square = MatrixStack(scores.view.rows(0..<tokens), count: count, distance: tokens * tokens)
    func stack(_ part: Int) -> MatrixStack<Float> {
      MatrixStack(heads: qkv.view, columns: part * width * count..<(part + 1) * width * count, width: width)
    }
    attention(
      AttentionHeads(query: stack(0), key: stack(1), value: stack(2)),
      into: MatrixStack(heads: out.view, columns: 0..<width * count, width: width), logSumExp: log.view,
      scratch(square, square))
    withExtendedLifetime((log, scores)) {}
    for head in 0..<count {
      func naive(_ part: Int) -> NaiveMatrix {
        let start = (part * count + head) * width
        return qkv.naive.columns(start..<start + width)
      }
      let found = out.naive.columns(head * width..<(head + 1) * width)
      #expect(relativeError(found.values, Naive.attention(naive(0), naive(1), naive(2)).values) < 2e-6)
    }
  }

  @Test(
    "The norm of queries and keys, turned by row and column, and its gradients are right, also in place",
    arguments: [12, 64, 72], [(0, 1e-6), (1, 0x1p-23)])
  func turned(width: Int, kind: (prefix: Int, epsilon: Double)) {
    var random = Randomness()
    let table = RotaryTable(prefix: kind.prefix, grid: 5, headWidth: width, theta: 10000)
    let positions: [Int32] = [24, 0, 7, 13]
    // Small numbers, so that the number under the root shows.
    let (x, weight) = (random.matrix(4, width, deviation: 1e-3), random.matrix(1, width))
    let dy = random.matrix(4, width)
    func naive(_ x: [Double], _ weight: [Double]) -> [Double] {
      let norm = Naive.rmsNorm(.init(rows: 4, columns: width, x), weight: weight, epsilon: kind.epsilon)
      return Naive.rotate(norm, prefix: kind.prefix, grid: 5, positions: positions.map(Int.init), theta: 10000).values
    }
    let (y, upstream, dweight) = (TestMatrix(4, width), dy.doubles, TestMatrix(1, width))
    turnedNorm(
      x.view, weight: weight.vector, epsilon: Float(kind.epsilon), table, positions: positions, into: y.view)
    #expect(relativeError(y.doubles, naive(x.doubles, weight.doubles)) < 1e-6)
    turnedNormBackward(
      dy.view, x.view, weight: weight.vector, epsilon: Float(kind.epsilon), table, positions: positions, into: dy.view,
      adding: dweight.vector)
    #expect(gradientError(dy.doubles, at: x.doubles) { inner(naive($0, weight.doubles), upstream) } < 1e-3)
    #expect(gradientError(dweight.doubles, at: weight.doubles) { inner(naive(x.doubles, $0), upstream) } < 1e-3)
    #expect(y.isIntact && dy.isIntact && dweight.isIntact)
  }
}

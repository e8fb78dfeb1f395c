import Foundation
import SprintKernels
import SprintTestSupport
import Testing

@Suite struct AttentionTargetTests {
  /// Rows that sum to 1, but the second one, which is zero.
  private func target(_ tokens: Int, _ random: inout Randomness) -> TestMatrix {
    let values = random.matrix(tokens, tokens).naive.map { $0 * $0 }
    return TestMatrix(
      tokens, tokens,
      (0..<tokens * tokens).map { i in
        let row = i / tokens
        return row == 1 ? 0 : Float(values.values[i] / values.row(row).reduce(0, +))
      })
  }

  /// If this fails, alignment of attention teaches something else than the teacher's attention.
  @Test(
    "The cross-entropy with a teacher's attention and its gradients are those of float64, also of rows without mass",
    arguments: [(5, 8), (16, 12), (37, 72)])
  func crossEntropy(tokens: Int, width: Int) {
    var random = Randomness()
    let (q, k, v) = (random.matrix(tokens, width), random.matrix(tokens, width), random.matrix(tokens, width))
    let (out, dout, wanted) = (TestMatrix(tokens, width), random.matrix(tokens, width), target(tokens, &random))
    let (log, scores, gradients) = (TestMatrix(tokens, 1), TestMatrix(tokens, tokens), TestMatrix(tokens, tokens))
    let heads = AttentionHeads(query: MatrixStack(q.view), key: MatrixStack(k.view), value: MatrixStack(v.view))
    let (first, second) = (MatrixStack(scores.view), MatrixStack(gradients.view))
    let scratch = AttentionScratch<Float>(
      scores: first, probabilities: first, scoreGradients: second, differences: second)
    let target = AttentionTarget(MatrixStack(wanted.view), rowGradient: 0.3)
    let loss = attention(heads, into: MatrixStack(out.view), logSumExp: log.view, scratch, target: target)
    let expected = Naive.crossEntropy(log: Naive.logAttention(q.naive, k.naive), target: wanted.naive)
    #expect(abs(loss - expected) < 1e-6 * expected)
    #expect(relativeError(out.doubles, Naive.attention(q.naive, k.naive, v.naive).values) < 2e-6)

    let (dq, dk, dv) = (TestMatrix(tokens, width), TestMatrix(tokens, width), TestMatrix(tokens, width))
    attentionBackward(
      MatrixStack(dout.view), heads, out: MatrixStack(out.view), logSumExp: log.view,
      into: AttentionHeads(query: MatrixStack(dq.view), key: MatrixStack(dk.view), value: MatrixStack(dv.view)),
      scratch, target: target)
    func objective(_ q: [Double], _ k: [Double]) -> Double {
      let (q, k) = (
        NaiveMatrix(rows: tokens, columns: width, q), NaiveMatrix(rows: tokens, columns: width, k)
      )
      return inner(Naive.attention(q, k, v.naive).values, dout.doubles)
        + 0.3 * Naive.crossEntropy(log: Naive.logAttention(q, k), target: wanted.naive)
    }
    let stride = max(1, tokens * width / 40)
    #expect(gradientError(dq.doubles, at: q.doubles, stride: stride) { objective($0, k.doubles) } < 2e-5)
    #expect(gradientError(dk.doubles, at: k.doubles, stride: stride) { objective(q.doubles, $0) } < 2e-5)
    #expect(dq.isIntact && dk.isIntact && scores.isIntact && gradients.isIntact && log.isIntact && wanted.isIntact)
  }

  /// If this fails, the student is compared with other tokens than it sees.
  @Test("A teacher's attention is gathered and renormalised, and queries and keys say the same as probabilities")
  func teacher() {
    var random = Randomness()
    let (layers, heads, tokens, width) = (2, 3, 7, 5)
    let (queries, keys) = (
      random.matrix(layers * heads * tokens, width), random.matrix(layers * heads * tokens, width)
    )
    let maps = (0..<layers * heads).map { index in
      let rows = index * tokens..<(index + 1) * tokens
      return Naive.logAttention(queries.naive.rows(rows), keys.naive.rows(rows)).map { exp($0) }
    }
    // As if a column had been cut off: rows do not sum to 1.
    let stored = TestMatrix(layers * heads * tokens, tokens, maps.flatMap { $0.values.map { Float($0 * 0.8) } })
    let layout = AttentionLayout(heads: 2, tokens: [tokens, 3])
    let kept: [Int32] = [6, 0, 3]
    for values in [TeacherAttention.Values.maps(stored.vector), .queriesAndKeys(queries.vector, keys.vector)] {
      let found = TestMatrix(1, layout.count)
      kept.withUnsafeBufferPointer {
        TeacherAttention(values, layers: layers, heads: heads, tokens: tokens).write(
          layout, kept: $0, isKept: [false, true], into: found.vector)
      }
      let expected =
        [0, 1].flatMap { maps[$0].values }
        + [0, 1].flatMap { Naive.keptAttention(maps[heads + $0], kept.map(Int.init)).values }
      #expect(relativeError(found.doubles, expected) < 1e-6 && found.isIntact)
    }
    withExtendedLifetime((stored, queries, keys)) {}
  }
}

import SprintKernels
import SprintTestSupport
import Testing

@Suite struct MatrixProductTests {
  /// If this fails, a shape, a stride or a transposition reaches oneDNN wrongly.
  @Test(
    "Products of bfloat16 matrices are right to a rounding of their result, for all transpositions and both results",
    arguments: [(64, 48, 32), (33, 17, 5), (256, 64, 256)])
  func products(m: Int, n: Int, k: Int) {
    var random = Randomness()
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      let a = random.matrix(transposeA ? k : m, (transposeA ? m : k) + 3).rounded
      let b = random.matrix(transposeB ? n : k, (transposeB ? k : n) + 5).rounded
      let (first, second) = (a.view.columns(2..<a.view.columns - 1), b.view.columns(0..<b.view.columns - 5))
      let naive = Naive.multiply(
        transposed(a.naive.columns(2..<a.view.columns - 1), transposeA),
        transposed(b.naive.columns(0..<b.view.columns - 5), transposeB))
      let (exact, rounded, sum) = (TestMatrix(m, n), RoundedMatrix(m, n), random.matrix(m, n))
      let before = sum.doubles
      multiply(first, second, into: exact.view, transposeA: transposeA, transposeB: transposeB)
      multiply(first, second, into: rounded.view, transposeA: transposeA, transposeB: transposeB)
      multiply(first, second, adding: sum.view, transposeA: transposeA, transposeB: transposeB)
      #expect(relativeError(exact.doubles, naive.values) < 1e-5)
      #expect(relativeError(rounded.doubles, naive.values) < 4e-3)
      #expect(relativeError(sum.doubles, zip(before, naive.values).map(+)) < 1e-5)
      #expect(exact.isIntact && rounded.isIntact && sum.isIntact)
    }
  }

  private func transposed(_ matrix: NaiveMatrix, _ isTransposed: Bool) -> NaiveMatrix {
    guard isTransposed else { return matrix }
    let values = (0..<matrix.columns).flatMap { c in (0..<matrix.rows).map { matrix.row($0)[c] } }
    return NaiveMatrix(rows: matrix.columns, columns: matrix.rows, values)
  }

  @Test("A bfloat16 layer adds its bias, and a product of no elements sets zeros")
  func linearLayer() {
    var random = Randomness()
    let (x, w, b) = (random.matrix(40, 24).rounded, random.matrix(16, 24).rounded, random.matrix(1, 16).rounded)
    let (y, exact) = (RoundedMatrix(40, 16), TestMatrix(40, 16))
    linear(x.view, weight: w.view, bias: b.vector, into: y.view)
    linear(x.view, weight: w.view, bias: b.vector, into: exact.view)
    let naive = Naive.linear(x.naive, w.naive, b.doubles).values
    #expect(relativeError(y.doubles, naive) < 4e-3 && relativeError(exact.doubles, naive) < 1e-5)
    multiply(x.view.columns(0..<0), w.view.columns(0..<0), into: y.view, transposeB: true)
    #expect(y.floats.allSatisfy { $0 == 0 } && y.isIntact)
  }

  /// If this fails, threads that run the same product share its operands.
  @Test("Many threads run products of one shape at once")
  func threads() {
    var random = Randomness()
    let matrices = (0..<8).map { _ in (random.matrix(32, 48).rounded, random.matrix(48, 16).rounded, TestMatrix(32, 16))
    }
    let views = matrices.map { ($0.view, $1.view, $2.view) }
    for _ in 0..<50 {
      Workers(4).run(tasks: 8) { _, i in multiply(views[i].0, views[i].1, into: views[i].2) }
    }
    for (a, b, c) in matrices {
      #expect(relativeError(c.doubles, Naive.multiply(a.naive, b.naive).values) < 1e-5)
    }
  }

  @Test("Attention in bfloat16 is close to that in float64, and so are its gradients", arguments: [(16, 64), (37, 72)])
  func attentionHeads(tokens: Int, width: Int) {
    var random = Randomness()
    let count = 2
    let (qkv, dout) = (random.matrix(tokens, 3 * count * width).rounded, random.matrix(tokens, count * width).rounded)
    let (exact, exactGradient) = (qkv.widened, dout.widened)
    #expect(error(results(qkv, dout, count, width), results(exact, exactGradient, count, width)) < 0.02)
  }

  private func error(_ found: [[Double]], _ right: [[Double]]) -> Double {
    zip(found, right).map { relativeError($0, $1) }.max() ?? .infinity
  }

  /// The output of attention and the gradients of queries, keys and values.
  private func results<Element>(
    _ qkv: GuardedMatrix<Element>, _ dout: GuardedMatrix<Element>, _ count: Int, _ width: Int
  ) -> [[Double]] {
    let tokens = qkv.view.rows
    let (out, gradients) = (
      GuardedMatrix<Element>(tokens, count * width), GuardedMatrix<Element>(tokens, 3 * count * width)
    )
    let (log, scores, differences) = (
      TestMatrix(tokens, count), TestMatrix(count * tokens, tokens), TestMatrix(count * tokens, tokens)
    )
    let narrow = (0..<2).map { _ in GuardedMatrix<Element>(count * tokens, tokens) }
    func stack(_ matrix: Matrix<Element>, _ part: Int) -> MatrixStack<Element> {
      MatrixStack(heads: matrix, columns: part * count * width..<(part + 1) * count * width, width: width)
    }
    func heads(_ matrix: Matrix<Element>) -> AttentionHeads<Element> {
      AttentionHeads(query: stack(matrix, 0), key: stack(matrix, 1), value: stack(matrix, 2))
    }
    func square<Number>(_ matrix: GuardedMatrix<Number>) -> MatrixStack<Number> {
      MatrixStack(matrix.view.rows(0..<tokens), count: count, distance: tokens * tokens)
    }
    let scratch = AttentionScratch(
      scores: square(scores), probabilities: square(narrow[0]), scoreGradients: square(differences),
      differences: square(narrow[1]))
    attention(heads(qkv.view), into: stack(out.view, 0), logSumExp: log.view, scratch)
    attentionBackward(
      stack(dout.view, 0), heads(qkv.view), out: stack(out.view, 0), logSumExp: log.view, into: heads(gradients.view),
      scratch)
    // Views do not keep the memory.
    withExtendedLifetime((log, scores, differences, narrow)) {}
    return [out.doubles] + (0..<3).map { gradients.naive.columns($0 * count * width..<($0 + 1) * count * width).values }
  }
}

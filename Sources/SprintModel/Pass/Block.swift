import SprintKernels

/// One transformer block with adaptive modulation, on the rows of some slots: forward and backward of
///
///     x += gate₁ · attention(norm(x) (1 + scale₁) + shift₁)
///     x += gate₂ · mlp(norm(x) (1 + scale₂) + shift₂)
///
/// A worker takes its slots through the whole block alone. arXiv 2212.09748, section 3.2.
struct Block: Sendable {
  let name: String
  let configuration: ModelConfiguration
  let parameters: BlockParameters
  let activations: BlockActivations
  let tokens: TokenSet
  let slots: Range<Int>
  /// [B, 6 D] shift₁, scale₁, gate₁, shift₂, scale₂, gate₂ of every sample.
  let modulation: Matrix
  let rotary: RotaryTable
  let scratch: WorkerScratch
  let check: FiniteCheck?

  func forward() {
    let a = activations
    let rows = a.input.rows
    let normalized = scratch.tokens.rows(0..<rows)
    forEachSlot { rows, sample in
      modulatedLayerNorm(
        a.input.rows(rows), shift: vector(0, sample), scale: vector(1, sample), into: normalized.rows(rows),
        statistics: a.inputStatistics.rows(rows))
    }
    look(normalized, "norm1", "output")
    linear(normalized, weight: parameters.qkv.weight, bias: parameters.qkv.bias, into: a.qkv)
    look(a.qkv, "attn.qkv", "output")
    Meter.count(.attention) { forEachSlot { rows, _ in attend(rows) } }
    look(a.attended, "attn", "output")
    linear(a.attended, weight: parameters.projection.weight, bias: parameters.projection.bias, into: a.projected)
    look(a.projected, "attn.proj", "output")
    forEachSlot { rows, sample in
      gatedResidual(a.input.rows(rows), a.projected.rows(rows), gate: vector(2, sample), into: a.between.rows(rows))
      modulatedLayerNorm(
        a.between.rows(rows), shift: vector(3, sample), scale: vector(4, sample), into: normalized.rows(rows),
        statistics: a.betweenStatistics.rows(rows))
    }
    look(a.between, "attn residual", "output")
    look(normalized, "norm2", "output")
    linear(normalized, weight: parameters.fc1.weight, bias: parameters.fc1.bias, into: a.hidden)
    look(a.hidden, "mlp.fc1", "output")
    let activated = scratch.hidden.rows(0..<rows)
    gelu(a.hidden, into: activated)
    linear(activated, weight: parameters.fc2.weight, bias: parameters.fc2.bias, into: a.added)
    look(a.added, "mlp.fc2", "output")
    forEachSlot { rows, sample in
      gatedResidual(a.between.rows(rows), a.added.rows(rows), gate: vector(5, sample), into: a.output.rows(rows))
    }
    look(a.output, "mlp residual", "output")
  }

  /// Turns `dx`, the gradient of the block's output, into that of its input, and leaves in `g` what the weight gradients need. Their
  /// inputs that are not kept take the places of `hidden` and `between`, which become useless.
  ///
  /// - Parameters:
  ///   - dx: [R, D]
  ///   - modulationGradient: [B, 6 D] of every sample, added to
  ///   - g: scratch of all rows of the section, of which this call uses its own
  func backward(dx: Matrix, modulationGradient: Matrix, _ g: BlockGradients) {
    let a = activations
    let own = tokens.rows(slots)
    let upstream = scratch.tokens.rows(0..<own.count)
    func gradient(_ index: Int, _ sample: Int) -> Vector { part(modulationGradient, index, sample) }

    // output = between + gate₂ · added
    forEachSlot { rows, sample in
      gatedResidualBackward(
        dx.rows(rows), a.added.rows(rows), gate: vector(5, sample), into: g.added.rows(own).rows(rows),
        gateGradient: gradient(5, sample))
    }
    look(g.added.rows(own), "mlp residual", "gradient")
    // added = fc2(gelu(hidden))
    linearBackward(g.added.rows(own), weight: parameters.fc2.weight, into: g.hidden.rows(own))
    geluBackward(g.hidden.rows(own), a.hidden, recomputing: a.hidden)
    look(g.hidden.rows(own), "mlp.fc1", "gradient")
    // hidden = fc1(norm(between) modulated)
    linearBackward(g.hidden.rows(own), weight: parameters.fc1.weight, into: upstream)
    forEachSlot { rows, sample in
      modulatedLayerNormBackward(
        upstream.rows(rows), a.between.rows(rows), shift: vector(3, sample), scale: vector(4, sample),
        statistics: a.betweenStatistics.rows(rows), y: a.between.rows(rows), dx: dx.rows(rows),
        shiftGradient: gradient(3, sample), scaleGradient: gradient(4, sample))
      // between = input + gate₁ · projected
      gatedResidualBackward(
        dx.rows(rows), a.projected.rows(rows), gate: vector(2, sample), into: g.projected.rows(own).rows(rows),
        gateGradient: gradient(2, sample))
    }
    look(dx, "norm2", "gradient")
    // projected = proj(attended)
    linearBackward(g.projected.rows(own), weight: parameters.projection.weight, into: upstream)
    look(upstream, "attn.proj", "gradient")
    Meter.count(.attention) {
      for (i, slot) in slots.enumerated() {
        attendBackward(rows(ofSlot: i), upstream, g.qkv.rows(own), norms: g.norms.vector(slot))
      }
    }
    look(g.qkv.rows(own), "attn.qkv", "gradient")
    // qkv = linear(norm(input) modulated)
    linearBackward(g.qkv.rows(own), weight: parameters.qkv.weight, into: upstream)
    forEachSlot { rows, sample in
      modulatedLayerNormBackward(
        upstream.rows(rows), a.input.rows(rows), shift: vector(0, sample), scale: vector(1, sample),
        statistics: a.inputStatistics.rows(rows), y: g.normalizedInput.rows(own).rows(rows), dx: dx.rows(rows),
        shiftGradient: gradient(0, sample), scaleGradient: gradient(1, sample))
    }
    look(dx, "norm1", "gradient")
  }

  // MARK: Attention of one sample

  /// attended = softmax attention over the heads, queries and keys normalised and turned.
  private func attend(_ rows: Range<Int>) {
    let qkv = activations.qkv.rows(rows)
    prepareQueriesAndKeys(rows)
    for head in 0..<configuration.heads {
      let tokens = rows.count
      attention(
        query: rotated(.query, head, tokens), key: rotated(.key, head, tokens),
        value: qkv.columns(columns(.value, head)),
        into: activations.attended.rows(rows).columns(columns(.query, head)),
        logSumExp: activations.logSumExp.rows(rows).columns(head..<head + 1),
        scores: Matrix(scratch.scores.base, rows: tokens, columns: tokens))
    }
  }

  private func attendBackward(_ rows: Range<Int>, _ upstream: Matrix, _ gradients: Matrix, norms: Vector) {
    let tokens = rows.count
    let (qkv, dqkv, dout) = (activations.qkv.rows(rows), gradients.rows(rows), upstream.rows(rows))
    let positions = positions(rows)
    prepareQueriesAndKeys(rows)
    norms.clear()
    for head in 0..<configuration.heads {
      attentionBackward(
        dout.columns(columns(.query, head)), query: rotated(.query, head, tokens), key: rotated(.key, head, tokens),
        value: qkv.columns(columns(.value, head)), out: activations.attended.rows(rows).columns(columns(.query, head)),
        logSumExp: activations.logSumExp.rows(rows).columns(head..<head + 1),
        queryGradient: dqkv.columns(columns(.query, head)), keyGradient: dqkv.columns(columns(.key, head)),
        valueGradient: dqkv.columns(columns(.value, head)),
        scores: Matrix(scratch.scores.base, rows: tokens, columns: tokens),
        scoreGradients: Matrix(scratch.scoreGradients.base, rows: tokens, columns: tokens))
      for (part, weight) in [(Part.query, parameters.queryNorm), (.key, parameters.keyNorm)] {
        let gradient = dqkv.columns(columns(part, head))
        positions.withUnsafeBufferPointer {
          rotateBackward(gradient, rotary, positions: $0.baseAddress.unsafelyUnwrapped)
        }
        rmsNormBackward(
          gradient, qkv.columns(columns(part, head)), weight: weight, into: gradient,
          weightGradient: norms.matrix(columns: configuration.headWidth).vector(part.rawValue))
      }
    }
  }

  private func prepareQueriesAndKeys(_ rows: Range<Int>) {
    let qkv = activations.qkv.rows(rows)
    let positions = positions(rows)
    for head in 0..<configuration.heads {
      for (part, weight) in [(Part.query, parameters.queryNorm), (.key, parameters.keyNorm)] {
        let turned = rotated(part, head, rows.count)
        rmsNorm(qkv.columns(columns(part, head)), weight: weight, into: turned)
        positions.withUnsafeBufferPointer { rotate(turned, rotary, positions: $0.baseAddress.unsafelyUnwrapped) }
      }
    }
  }

  private enum Part: Int {
    case query, key, value
  }

  /// The columns of [R, 3 D] that hold one head's queries, keys or values.
  private func columns(_ part: Part, _ head: Int) -> Range<Int> {
    let start = part.rawValue * configuration.width + head * configuration.headWidth
    return start..<start + configuration.headWidth
  }

  private func rotated(_ part: Part, _ head: Int, _ tokens: Int) -> Matrix {
    scratch.rotated.rows(0..<tokens).columns(columns(part, head))
  }

  /// Grid positions of the tokens in some of this call's rows.
  private func positions(_ rows: Range<Int>) -> ArraySlice<Int32> {
    let start = slots.lowerBound * tokens.tokens
    return tokens.positions[start + rows.lowerBound..<start + rows.upperBound]
  }

  // MARK: Slots and modulation

  private func rows(ofSlot i: Int) -> Range<Int> { i * tokens.tokens..<(i + 1) * tokens.tokens }

  /// Calls `body(rows, sample)` for every slot; rows are counted from this call's first.
  private func forEachSlot(_ body: (Range<Int>, Int) -> Void) {
    for (i, slot) in slots.enumerated() { body(rows(ofSlot: i), tokens.samples[slot]) }
  }

  private func vector(_ index: Int, _ sample: Int) -> Vector { part(modulation, index, sample) }

  private func part(_ modulation: Matrix, _ index: Int, _ sample: Int) -> Vector {
    modulation.vector(sample)[index * configuration.width..<(index + 1) * configuration.width]
  }

  private func look(_ values: Matrix, _ operation: String, _ tensor: String) {
    check?.look(values, name, operation, tensor)
  }
}

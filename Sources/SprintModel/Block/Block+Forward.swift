import SprintKernels

extension Block {
  /// Computes `output` from `input` and keeps the activations.
  func forward() {
    let normalized = scratch.tokens.rows(0..<input.rows)
    forEachSlot { rows, sample in
      modulatedNorm(
        input.rows(rows), configuration.norm, modulation.attention(sample), into: normalized.rows(rows),
        statistics: residual[.inputStatistics].rows(rows))
    }
    look(normalized, "norm1", "output")
    attentionBranch(normalized)
    // One loop for both operations: a sample's tokens stay in cache. `output` holds the tokens between the halves.
    forEachSlot { rows, sample in
      addAttention(rows, sample, into: output.rows(rows))
      modulatedNorm(
        output.rows(rows), configuration.norm, modulation.mlp(sample), into: normalized.rows(rows),
        statistics: residual[.betweenStatistics].rows(rows))
    }
    look(output, "attn residual", "output")
    look(normalized, "norm2", "output")
    feedForwardBranch(normalized)
    forEachSlot { rows, sample in
      gatedResidual(
        output.rows(rows), activations[.added].rows(rows), gate: modulation(.mlpGate, sample), into: output.rows(rows))
    }
    look(output, "mlp residual", "output")
  }

  /// between = input + gate₁ · projected
  func addAttention(_ rows: Range<Int>, _ sample: Int, into between: Matrix<Float>) {
    gatedResidual(
      input.rows(rows), activations[.projected].rows(rows), gate: modulation(.attentionGate, sample), into: between)
  }

  /// projected = proj(attention(qkv(normalized)))
  private func attentionBranch(_ normalized: Matrix<Element>) {
    let (qkv, attended, projected) = (activations[.qkv], activations[.attended], activations[.projected])
    linear(normalized, parameters.qkv, into: qkv)
    look(qkv, "attn.qkv", "output")
    Trace.span("attention", "attention") { Meter.count(.attention) { forEachSlot(attend) } }
    look(attended, "attn", "output")
    linear(attended, parameters.projection, into: projected)
    look(projected, "attn.proj", "output")
  }

  /// added = fc2(GELU(fc1(normalized)))
  private func feedForwardBranch(_ normalized: Matrix<Element>) {
    let (hidden, added) = (activations[.hidden], activations[.added])
    linear(normalized, parameters.fc1, into: hidden)
    look(hidden, "mlp.fc1", "output")
    let activated = scratch.hidden.rows(0..<hidden.rows)
    gelu(hidden, into: activated)
    linear(activated, parameters.fc2, into: added)
    look(added, "mlp.fc2", "output")
  }
}

import SprintKernels

/// The backward pass of each half of a block. Both turn the gradient of what leaves the half, `dx` [rows, D], into that
/// of what enters it, add to the gradients of the modulation, and set what the products of the weight gradients need.
extension Block {
  /// output = between + gate₂ · fc2(GELU(fc1(norm(between) modulated))). The product of fc2's weight gradient needs
  /// GELU(hidden), which replaces `hidden`.
  func backwardFeedForward(
    dx: Matrix<Float>, adding modulationGradient: Modulation<ModulationPart>, into gradients: HalfGradients<Element>
  ) {
    let upstream = scratch.tokens.rows(0..<dx.rows)
    // output = between + gate₂ · added
    forEachSlot { rows, sample in
      gatedResidualBackward(
        dx.rows(rows), activations[.added].rows(rows), gate: modulation(.mlpGate, sample),
        into: gradients.output.rows(rows), adding: modulationGradient(.mlpGate, sample))
    }
    look(gradients.output, "mlp residual", "gradient")
    // added = fc2(GELU(hidden))
    linearBackward(gradients.output, weight: parameters.fc2.weight, into: gradients.inner)
    geluBackward(gradients.inner, activations[.hidden], recomputing: activations[.hidden])
    look(gradients.inner, "mlp.fc1", "gradient")
    // hidden = fc1(norm(between) modulated)
    linearBackward(gradients.inner, weight: parameters.fc1.weight, into: upstream)
    forEachSlot { rows, sample in
      let between = scratch.between.rows(0..<rows.count)
      addAttention(rows, sample, into: between)
      modulatedNormBackward(
        upstream.rows(rows), between, configuration.norm, modulation.mlp(sample),
        statistics: residual[.betweenStatistics].rows(rows),
        recomputing: gradients.normalized.rows(rows), adding: dx.rows(rows), adding: modulationGradient.mlp(sample))
    }
    look(dx, "norm2", "gradient")
  }

  /// between = input + gate₁ · proj(attention(qkv(norm(input) modulated)))
  ///
  /// - Parameters:
  ///   - norms: [slots of the section, 2 W] receives the gradients of the query and key norms of each slot
  ///   - shares: [slots of the section, 1] receives those of the share of the first block's values
  func backwardAttention(
    dx: Matrix<Float>, adding modulationGradient: Modulation<ModulationPart>, into gradients: HalfGradients<Element>,
    norms: Matrix<Float>, shares: Matrix<Float>
  ) {
    let upstream = scratch.tokens.rows(0..<dx.rows)
    // between = input + gate₁ · projected
    forEachSlot { rows, sample in
      gatedResidualBackward(
        dx.rows(rows), activations[.projected].rows(rows), gate: modulation(.attentionGate, sample),
        into: gradients.output.rows(rows), adding: modulationGradient(.attentionGate, sample))
    }
    // projected = proj(attended)
    linearBackward(gradients.output, weight: parameters.projection.weight, into: upstream)
    look(upstream, "attn.proj", "gradient")
    // attended = attention(qkv)
    Trace.span("attention", "attention backward") {
      Meter.count(.attention) {
        for (i, slot) in slots.enumerated() {
          let rows = rows(ofSlot: i)
          shares[slot, 0] = attendBackward(
            rows, tokens.samples[slot], upstream.rows(rows), into: gradients.inner.rows(rows),
            norms: norms.vector(slot))
        }
      }
    }
    look(gradients.inner, "attn.qkv", "gradient")
    // qkv = linear(norm(input) modulated)
    linearBackward(gradients.inner, weight: parameters.qkv.weight, into: upstream)
    forEachSlot { rows, sample in
      modulatedNormBackward(
        upstream.rows(rows), input.rows(rows), configuration.norm, modulation.attention(sample),
        statistics: residual[.inputStatistics].rows(rows), recomputing: gradients.normalized.rows(rows),
        adding: dx.rows(rows), adding: modulationGradient.attention(sample))
    }
    look(dx, "norm1", "gradient")
  }
}

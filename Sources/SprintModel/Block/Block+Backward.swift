import SprintKernels

extension Block {
  /// Turns the gradient of `output` into that of `input`, and keeps in `gradients` the gradients that the products of
  /// the weight gradients need. Those of `fc2` also need GELU(hidden), which replaces `hidden`.
  ///
  /// - Parameters:
  ///   - dx: [rows, D] first the gradient of `output`, then of `input`
  ///   - modulationGradient: added to
  ///   - gradients: of the rows of the slots
  ///   - norms: [slots of the section, 2 W] receives the gradients of the query and key norms of each slot
  func backward(
    dx: Matrix<Float>, adding modulationGradient: Modulation<ModulationPart>,
    into gradients: MatrixGroup<BlockGradient, Element>,
    norms: Matrix<Float>
  ) {
    let upstream = scratch.tokens.rows(0..<dx.rows)
    feedForwardBackward(dx, adding: modulationGradient, gradients, into: upstream)
    forEachSlot { rows, sample in
      // hidden = fc1(norm(between) modulated)
      let between = residual[.between].rows(rows)
      modulatedLayerNormBackward(
        upstream.rows(rows), between, modulation.mlp(sample), statistics: residual[.betweenStatistics].rows(rows),
        recomputing: gradients[.normalizedBetween].rows(rows), adding: dx.rows(rows),
        adding: modulationGradient.mlp(sample))
      // between = input + gate₁ · projected
      gatedResidualBackward(
        dx.rows(rows), activations[.projected].rows(rows), gate: modulation(.attentionGate, sample),
        into: gradients[.projected].rows(rows), adding: modulationGradient(.attentionGate, sample))
    }
    look(dx, "norm2", "gradient")
    attentionBranchBackward(gradients, norms, into: upstream)
    // qkv = linear(norm(input) modulated)
    forEachSlot { rows, sample in
      modulatedLayerNormBackward(
        upstream.rows(rows), input.rows(rows), modulation.attention(sample),
        statistics: residual[.inputStatistics].rows(rows), recomputing: gradients[.normalizedInput].rows(rows),
        adding: dx.rows(rows), adding: modulationGradient.attention(sample))
    }
    look(dx, "norm1", "gradient")
  }

  /// Sets `upstream` to the gradient of the feed-forward layer's input.
  private func feedForwardBackward(
    _ dx: Matrix<Float>, adding modulationGradient: Modulation<ModulationPart>,
    _ gradients: MatrixGroup<BlockGradient, Element>,
    into upstream: Matrix<Element>
  ) {
    // output = between + gate₂ · added
    forEachSlot { rows, sample in
      gatedResidualBackward(
        dx.rows(rows), activations[.added].rows(rows), gate: modulation(.mlpGate, sample),
        into: gradients[.added].rows(rows), adding: modulationGradient(.mlpGate, sample))
    }
    look(gradients[.added], "mlp residual", "gradient")
    // added = fc2(GELU(hidden))
    linearBackward(gradients[.added], weight: parameters.fc2.weight, into: gradients[.hidden])
    geluBackward(gradients[.hidden], activations[.hidden], recomputing: activations[.hidden])
    look(gradients[.hidden], "mlp.fc1", "gradient")
    // hidden = fc1(normalized)
    linearBackward(gradients[.hidden], weight: parameters.fc1.weight, into: upstream)
  }

  /// Sets `upstream` to the gradient of the attention branch's input.
  private func attentionBranchBackward(
    _ gradients: MatrixGroup<BlockGradient, Element>, _ norms: Matrix<Float>, into upstream: Matrix<Element>
  ) {
    // projected = proj(attended)
    linearBackward(gradients[.projected], weight: parameters.projection.weight, into: upstream)
    look(upstream, "attn.proj", "gradient")
    // attended = attention(qkv)
    Trace.span("attention", "attention backward") {
      Meter.count(.attention) {
        for (i, slot) in slots.enumerated() {
          let rows = rows(ofSlot: i)
          attendBackward(rows, upstream.rows(rows), into: gradients[.qkv].rows(rows), norms: norms.vector(slot))
        }
      }
    }
    look(gradients[.qkv], "attn.qkv", "gradient")
    // qkv = linear(normalized)
    linearBackward(gradients[.qkv], weight: parameters.qkv.weight, into: upstream)
  }
}

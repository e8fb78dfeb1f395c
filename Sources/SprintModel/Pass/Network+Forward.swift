import SprintKernels

extension Network {
  /// Finds the velocity of every sample and, if the input asks for them, the projected features. Both are then in
  /// `memory`, and `pass` holds the state that the backward pass needs.
  ///
  /// encoder on all tokens -> drop -> middle on the kept ones -> fusion -> decoder on all tokens. SPRINT, arXiv
  /// 2510.21986, section 3.
  ///
  /// - Parameters:
  ///   - weights: in the precision of `memory`
  ///   - pass: overwritten; reuse one for many passes, and its arrays are allocated once
  package func forward(
    _ weights: any NetworkWeights, _ input: NetworkInput, into pass: inout Pass, in memory: PassMemory,
    check: FiniteCheck? = nil
  ) {
    let kept = input.deepPath.kept?.perSample ?? configuration.tokens
    precondition(input.times.count <= memory.batch && kept <= memory.kept, "a pass larger than its memory")
    precondition(input.latents.columns == configuration.latentElements, "latents of another shape")
    precondition(input.classTokens?.columns == configuration.classToken, "class tokens of another width")
    pass.begin(input, configuration)
    switch memory.matrices {
    case .float32(let matrices): PassContext(self, weights, matrices, pass, check).forward(input)
    case .bfloat16(let matrices): PassContext(self, weights, matrices, pass, check).forward(input)
    }
  }
}

/// The sections of the forward pass, in their order.
extension PassContext {
  fileprivate func forward(_ input: NetworkInput) {
    condition(input)
    project(classTokens: input)
    encode(input)
    goDeep()
    decode()
  }

  /// condition = timeMLP(t) + class; modulations = W · SiLU(condition) + b, for all layers at once.
  private func condition(_ input: NetworkInput) {
    let (activations, sums) = (memory.condition.rows(0..<batch), memory.conditionSums.rows(0..<batch))
    let (condition, modulations) = (sums[.condition], sums[.modulations])
    timeFeatures(input.times, into: activations[.timeFeatures])
    linear(activations[.timeFeatures], weights.time0, into: activations[.hidden])
    silu(activations[.hidden], into: activations[.activated])
    linear(activations[.activated], weights.time2, into: condition)
    addEmbedding(weights.classes, ids: input.labels, to: condition)
    silu(condition, into: activations[.conditionActivated])
    network.workers.run(over: modulations.columns, inSlicesOf: 1024) { _, columns in
      linear(
        activations[.conditionActivated], weight: weights.modulationWeight.rows(columns),
        bias: weights.modulationBias[columns], into: modulations.columns(columns))
    }
    check?.look(condition, "conditioning", "t_embedder + y_embedder", "output")
    check?.look(modulations, "conditioning", "adaLN_modulation", "output")
  }

  /// projected = linear(class tokens)
  private func project(classTokens input: NetworkInput) {
    guard let tokens = input.classTokens, let memory = memory.classToken, let layer = weights.classToken else { return }
    let samples = 0..<batch
    memory.input.rows(samples).copy(from: tokens)
    linear(memory.input.rows(samples), layer.input, into: memory.projected.rows(samples))
    check?.look(memory.projected.rows(samples), "cls_projectors2", "linear", "output")
  }

  /// tokens = class token: norm(projected); patches: linear(patches); with their positions. Then the encoder.
  private func encode(_ input: NetworkInput) {
    forEachChunk(pass.all, count: batch) { worker, samples in
      for sample in samples {
        patchify(input.latents.vector(sample), into: memory.patches.rows(patchRows(ofSample: sample)), configuration)
      }
      let rows = rows(samples)
      let tokens = memory.encoder.input.rows(rows)
      if configuration.prefix > 0 { classRows(of: memory.patches.rows(rows)).clear() }
      linear(memory.patches.rows(rows), weights.input, into: tokens)
      if let projected = memory.classToken?.projected, let layer = weights.classToken {
        rmsNorm(projected.rows(samples), weight: layer.norm, into: classRows(of: tokens))
      }
      samples.forEach(addPositions)
      check?.look(tokens, "x_embedder", "proj", "output")
      run(.encoder, samples, worker)
    }
  }

  private func addPositions(to sample: Int) {
    guard let positions = network.positions?.values else { return }
    let tokens = memory.encoder.input.rows(rows(ofSample: sample))
    for token in 0..<tokens.rows { tokens.vector(token).add(positions.vector(token)) }
  }

  /// The middle on the kept tokens, then the deep half of the fusion.
  private func goDeep() {
    let deep = pass.deep
    let deepHalf = configuration.fusion.deepColumns(width: configuration.width)
    forEachChunk(deep, count: deep.samples.count) { worker, slots in
      let rows = deep.rows(slots)
      deep.rows.withUnsafeBufferPointer {
        guard let ids = $0.baseAddress else { return }
        gatherRows(memory.encoder.output, ids + rows.lowerBound, into: memory.middle.input.rows(rows))
      }
      run(.middle, slots, worker)
      let lasting = deep.rows(slots.clamped(to: 0..<deep.lasting))
      guard let fusion = weights.fusion, !lasting.isEmpty else { return }
      linear(
        memory.deepOperand.updated(lasting), weight: fusion.weight.columns(deepHalf), bias: fusion.bias,
        into: memory.fusedDeep.rows(lasting))
    }
    let mask = weights.maskToken.matrix(columns: configuration.width)
    if let fusion = weights.fusion {
      linear(mask, weight: fusion.weight.columns(deepHalf), bias: fusion.bias, into: memory.fusedMask)
    } else {
      memory.fusedMask.copy(from: mask)
    }
  }

  /// fused = W_deep · deep + b + W_shallow · shallow, then the decoder and the output layer.
  private func decode() {
    let shallowHalf = configuration.fusion.shallowColumns(width: configuration.width)
    forEachChunk(pass.all, count: batch) { worker, samples in
      for sample in samples { restore(sample) }
      let rows = rows(samples)
      let fused = memory.decoder.input.rows(rows)
      if let fusion = weights.fusion {
        multiply(
          memory.shallowOperand.updated(rows), fusion.weight.columns(shallowHalf), adding: fused, transposeB: true)
      }
      check?.look(fused, "fusion", "renoise_linear", "output")
      run(.decoder, samples, worker)
      project(samples, worker)
    }
  }

  /// Puts the deep half of the fusion at the kept places of a sample, and that of the mask token everywhere else.
  private func restore(_ sample: Int) {
    let fused = memory.decoder.input.rows(rows(ofSample: sample))
    for r in 0..<fused.rows { fused.row(r).update(from: memory.fusedMask.base, count: configuration.width) }
    guard let slot = pass.slotOfSample[sample] else { return }
    let rows = pass.deep.rows(slot..<slot + 1)
    pass.deep.positions.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      scatterRows(memory.fusedDeep.rows(rows), ids + rows.lowerBound, into: fused)
    }
  }

  /// velocity = linear(norm(x) modulated)
  private func project(_ samples: Range<Int>, _ worker: Int) {
    let modulation = outputModulation
    let all = rows(samples)
    let normalized = memory.scratch[worker].tokens.rows(0..<all.count)
    for (i, sample) in samples.enumerated() {
      let rows = rows(ofSample: sample)
      modulatedNorm(
        memory.decoder.output.rows(rows), configuration.norm, modulation.output(sample),
        into: normalized.rows(i * rows.count..<(i + 1) * rows.count), statistics: memory.outputStatistics.rows(rows))
    }
    linear(normalized, weights.output, into: memory.outputPatches.rows(all))
    for sample in samples {
      let patches = memory.outputPatches.rows(patchRows(ofSample: sample))
      unpatchify(patches, into: memory.velocity.vector(sample), configuration)
    }
    if let layer = weights.classToken, let velocity = memory.classToken?.velocity.rows(samples) {
      linear(classRows(of: normalized), layer.output, into: velocity)
      check?.look(velocity, "final_layer", "linear_cls", "velocity")
    }
    check?.look(memory.velocity.rows(samples), "final_layer", "linear", "velocity")
  }

  /// Takes some slots through the blocks of a section, and through the projector behind the block that it reads.
  private func run(_ section: Section, _ slots: Range<Int>, _ worker: Int) {
    for block in configuration.blocks(of: section) {
      let live = pass.live(slots, in: block, configuration)
      guard !live.isEmpty else { return }
      let computation = self.block(block, live, worker)
      Trace.span("block", "\(configuration.name(ofBlock: block)) forward") { computation.forward() }
      if pass.readsFeatures, configuration.projector?.afterBlock == block + 1 {
        readFeatures(rows: pass.tokens(of: section).rows(live))
      }
    }
  }

  /// features = projector(x)
  private func readFeatures(rows: Range<Int>) {
    guard let projector = memory.projector else { return }
    let activations = projector.activations.rows(rows)
    linear(projector.input.updated(rows), weights.projector[0], into: activations[.hidden0])
    silu(activations[.hidden0], into: activations[.activated0])
    linear(activations[.activated0], weights.projector[1], into: activations[.hidden1])
    silu(activations[.hidden1], into: activations[.activated1])
    linear(activations[.activated1], weights.projector[2], into: projector.features.rows(rows))
    check?.look(projector.features.rows(rows), "projectors", "4", "output")
  }

  private func forEachChunk(
    _ tokens: TokenSet, count: Int, _ body: @Sendable (_ worker: Int, _ slots: Range<Int>) -> Void
  ) {
    if memory.ofBackward == nil {
      // The bits of an image must not depend on the number of threads.
      network.workers.run(over: count, inSlicesOf: tokens.slotsPerFixedChunk, body)
    } else {
      network.workers.run(over: count, grain: tokens.slotsPerChunk, body)
    }
  }
}

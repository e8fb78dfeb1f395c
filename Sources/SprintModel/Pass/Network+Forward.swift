import SprintKernels

extension Network {
  /// Finds the velocity of every sample, and the projected features if asked for; both are left in `activations`.
  ///
  /// encoder on all tokens -> drop -> middle on the kept ones -> fusion -> decoder on all tokens. arXiv 2510.21986, section 3.
  package func forward(
    _ weights: ParameterArena, _ input: NetworkInput, _ activations: Activations, check: FiniteCheck? = nil
  ) {
    let pass = ForwardPass(self, weights.views, input, activations, check)
    pass.condition(input)
    pass.encode(input)
    pass.goDeep()
    pass.decode()
  }
}

/// One forward pass, section by section.
private struct ForwardPass: Sendable {
  let network: Network
  let c: ModelConfiguration
  let weights: NetworkParameters
  let activations: Activations
  let check: FiniteCheck?

  init(
    _ network: Network, _ weights: NetworkParameters, _ input: NetworkInput, _ activations: Activations,
    _ check: FiniteCheck?
  ) {
    self.network = network
    c = network.configuration
    self.weights = weights
    self.activations = activations
    self.check = check
    let kept = input.deepPath.kept?.perSample ?? c.tokens
    precondition(
      input.times.count <= activations.batch && kept <= activations.kept, "a pass larger than its activations")
    precondition(input.latents.columns == c.latentElements, "latents of another shape")
    activations.labels = input.labels
    activations.readsFeatures = input.readsFeatures && c.projector != nil
    activations.featuresAreDeep = c.projector.map { c.section(of: $0.afterBlock - 1) == .middle } ?? false
    if activations.tokens.samples.count != input.times.count {
      activations.tokens = TokenSet(batch: input.times.count, tokens: c.tokens)
    }
    activations.deep.choose(
      input.deepPath, tokens: c.tokens, readsAll: activations.readsFeatures && activations.featuresAreDeep)
    activations.deep.find(&activations.deepRows, ofAll: c.tokens)
  }

  private var batch: Int { activations.labels.count }

  /// c = timeMLP(t) + class; modulations = W · SiLU(c) + b for all layers at once.
  func condition(_ input: NetworkInput) {
    let a = activations.condition.first(batch)
    timeFeatures(input.times, into: a.features)
    linear(a.features, weight: weights.time0.weight, bias: weights.time0.bias, into: a.hidden)
    silu(a.hidden, into: a.activated)
    linear(a.activated, weight: weights.time2.weight, bias: weights.time2.bias, into: a.condition)
    addEmbedding(weights.classes, ids: input.labels, to: a.condition)
    silu(a.condition, into: a.conditionActivated)
    network.workers.run(over: a.modulations.columns, inSlicesOf: 1024) { _, columns in
      linear(
        a.conditionActivated, weight: weights.modulationWeight.rows(columns), bias: weights.modulationBias[columns],
        into: a.modulations.columns(columns))
    }
    check?.look(a.condition, "conditioning", "t_embedder + y_embedder", "output")
    check?.look(a.modulations, "conditioning", "adaLN_modulation", "output")
  }

  func encode(_ input: NetworkInput) {
    forEachChunk(activations.tokens, count: batch) { worker, samples in
      for sample in samples {
        patchify(input.latents.vector(sample), into: activations.patches.rows(tokenRows(sample..<sample + 1)), c)
      }
      let rows = tokenRows(samples)
      let tokens = activations.encoder.input.rows(rows)
      linear(activations.patches.rows(rows), weight: weights.input.weight, bias: weights.input.bias, into: tokens)
      check?.look(tokens, "x_embedder", "proj", "output")
      run(.encoder, samples, worker)
    }
  }

  /// The middle on the kept tokens, then its half of the fusion.
  func goDeep() {
    let deep = activations.deep
    forEachChunk(deep, count: deep.samples.count) { worker, slots in
      let rows = deep.rows(slots)
      activations.deepRows.withUnsafeBufferPointer {
        guard let ids = $0.baseAddress else { return }
        gatherRows(activations.encoder.output, ids + rows.lowerBound, into: activations.middle.input.rows(rows))
      }
      run(.middle, slots, worker)
      let lasting = deep.rows(slots.clamped(to: 0..<deep.lasting))
      guard let fusion = weights.fusion, !lasting.isEmpty else { return }
      linear(
        activations.middle.output.rows(lasting), weight: fusion.weight.columns(0..<c.width), bias: fusion.bias,
        into: activations.fusedDeep.rows(lasting))
    }
    let mask = weights.maskToken.matrix(columns: c.width)
    if let fusion = weights.fusion {
      linear(mask, weight: fusion.weight.columns(0..<c.width), bias: fusion.bias, into: activations.fusedMask)
    } else {
      activations.fusedMask.copy(from: mask)
    }
  }

  /// fused = W_deep · deep + b + W_shallow · shallow, then the decoder and the output layer.
  func decode() {
    var slotOfSample = [Int?](repeating: nil, count: batch)
    for slot in 0..<activations.deep.lasting { slotOfSample[activations.deep.samples[slot]] = slot }
    let slots = slotOfSample
    forEachChunk(activations.tokens, count: batch) { worker, samples in
      for sample in samples { restore(sample, slot: slots[sample]) }
      let rows = tokenRows(samples)
      let fused = activations.decoder.input.rows(rows)
      if let fusion = weights.fusion {
        multiply(
          activations.encoder.output.rows(rows), fusion.weight.columns(c.width..<2 * c.width), into: fused,
          transposeB: true, adding: true)
      }
      check?.look(fused, "fusion", "renoise_linear", "output")
      run(.decoder, samples, worker)
      project(samples)
    }
  }

  /// Puts the deep half of one sample's fusion in its places, the mask token's everywhere else.
  private func restore(_ sample: Int, slot: Int?) {
    let fused = activations.decoder.input.rows(tokenRows(sample..<sample + 1))
    for r in 0..<fused.rows { fused.row(r).update(from: activations.fusedMask.base, count: c.width) }
    guard let slot else { return }
    let rows = activations.deep.rows(slot..<slot + 1)
    activations.deep.positions.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      scatterRows(activations.fusedDeep.rows(rows), ids + rows.lowerBound, into: fused)
    }
  }

  /// velocity = linear(norm(x) modulated)
  private func project(_ samples: Range<Int>) {
    let modulations = activations.condition.modulations
    for sample in samples {
      let rows = tokenRows(sample..<sample + 1)
      modulatedLayerNorm(
        activations.decoder.output.rows(rows), shift: modulations.vector(sample)[0..<c.width],
        scale: modulations.vector(sample)[c.width..<2 * c.width], into: activations.normalizedOutput.rows(rows),
        statistics: activations.outputStatistics.rows(rows))
    }
    let rows = tokenRows(samples)
    linear(
      activations.normalizedOutput.rows(rows), weight: weights.output.weight, bias: weights.output.bias,
      into: activations.outputPatches.rows(rows))
    for sample in samples {
      unpatchify(
        activations.outputPatches.rows(tokenRows(sample..<sample + 1)), into: activations.velocity.vector(sample), c)
    }
    check?.look(activations.velocity.rows(samples), "final_layer", "linear", "velocity")
  }

  /// Takes some slots through the blocks of a section, and through the projector where it reads.
  private func run(_ section: Section, _ slots: Range<Int>, _ worker: Int) {
    for block in c.blocks(of: section) {
      let live = network.slots(slots, in: block, activations)
      guard !live.isEmpty else { return }
      network.block(block, weights, activations, live, worker, check).forward()
      if activations.readsFeatures, c.projector?.afterBlock == block + 1 { readFeatures(section, block, live) }
    }
  }

  private func readFeatures(_ section: Section, _ block: Int, _ slots: Range<Int>) {
    let (memory, tokens) = activations.section(section)
    let rows = tokens.rows(slots)
    guard let p = activations.projector?.rows(rows) else { return }
    let output = memory.blocks[block - c.blocks(of: section).lowerBound].output.rows(rows)
    linear(output, weight: weights.projector[0].weight, bias: weights.projector[0].bias, into: p.hidden0)
    silu(p.hidden0, into: p.activated0)
    linear(p.activated0, weight: weights.projector[1].weight, bias: weights.projector[1].bias, into: p.hidden1)
    silu(p.hidden1, into: p.activated1)
    linear(p.activated1, weight: weights.projector[2].weight, bias: weights.projector[2].bias, into: p.features)
    check?.look(p.features, "projectors", "4", "output")
  }

  private func tokenRows(_ samples: Range<Int>) -> Range<Int> { activations.tokens.rows(samples) }

  private func forEachChunk(
    _ tokens: TokenSet, count: Int, _ body: @Sendable (_ worker: Int, _ slots: Range<Int>) -> Void
  ) {
    if activations.backward == nil {
      // An image's bits must not depend on the number of threads.
      network.workers.run(over: count, inSlicesOf: tokens.slotsPerFixedChunk, body)
    } else {
      network.workers.run(over: count, grain: tokens.slotsPerChunk, body)
    }
  }
}

extension Network {
  /// Those of `slots` that block `block` computes: in the middle, results that are dropped stop where the alignment reads.
  func slots(_ slots: Range<Int>, in block: Int, _ activations: Activations) -> Range<Int> {
    guard configuration.section(of: block) == .middle, let projector = configuration.projector,
      activations.readsFeatures,
      block < projector.afterBlock
    else {
      return configuration.section(of: block) == .middle ? slots.clamped(to: 0..<activations.deep.lasting) : slots
    }
    return slots
  }

  /// Block `block` on the rows of `slots`, with a worker's scratch.
  func block(
    _ block: Int, _ weights: NetworkParameters, _ activations: Activations, _ slots: Range<Int>, _ worker: Int,
    _ check: FiniteCheck?
  ) -> Block {
    let section = configuration.section(of: block)
    let (memory, tokens) = activations.section(section)
    let index = block - configuration.blocks(of: section).lowerBound
    return Block(
      name: check == nil ? "" : configuration.name(ofBlock: block), configuration: configuration,
      parameters: weights.blocks[block], activations: memory.blocks[index].rows(tokens.rows(slots)), tokens: tokens,
      slots: slots,
      modulation: activations.condition.modulations.columns(layout.modulationColumns(ofBlock: block)), rotary: rotary,
      scratch: activations.scratch[worker], check: check)
  }
}

import SprintKernels

extension Network {
  /// Adds to `gradients` those of the pass that `activations` hold, from `activations.velocityGradient` and, where features
  /// were read, from their gradients. Block by block, last to first; data gradients chunk by chunk of samples, each weight's
  /// gradient as one product over all tokens, split over the workers by output rows.
  ///
  /// - Parameter onFinal: called with each stretch of the arena that this pass is done with; the stretches cover the arena.
  package func backward(
    _ weights: ParameterArena, gradients: ParameterArena, _ activations: Activations, check: FiniteCheck? = nil,
    onFinal: @escaping (Range<Int>) -> Void = { _ in }
  ) {
    guard let memory = activations.backward else {
      preconditionFailure("activations without memory for a backward pass")
    }
    let pass = BackwardPass(
      network: self, c: configuration, weights: weights.views, gradients: gradients.views, activations: activations,
      memory: memory, check: check, onFinal: onFinal)
    activations.condition.modulationGradients.clear()
    pass.output()
    pass.section(.decoder, dx: memory.tokenGradients)
    pass.fusion()
    pass.section(.middle, dx: memory.deepGradients)
    pass.rejoin()
    pass.section(.encoder, dx: memory.shallowGradients)
    pass.input()
    pass.condition()
  }
}

/// One backward pass, section by section, in the order of the forward pass reversed.
private struct BackwardPass {
  let network: Network
  let c: ModelConfiguration
  let weights, gradients: NetworkParameters
  let activations: Activations
  let memory: BackwardMemory
  let check: FiniteCheck?
  let onFinal: (Range<Int>) -> Void

  private var batch: Int { activations.labels.count }
  private var allRows: Range<Int> { 0..<batch * c.tokens }

  /// velocity = linear(norm(x) modulated)
  func output() {
    let (c, a, memory, weights, gradients) = (c, activations, memory, weights, gradients)
    let modulations = a.condition.modulations
    let dmodulations = a.condition.modulationGradients
    forEachChunk { [check] worker, samples in
      for sample in samples {
        patchify(
          a.velocityGradient.vector(sample), into: memory.outputPatches.rows(a.tokens.rows(sample..<sample + 1)), c)
      }
      let rows = a.tokens.rows(samples)
      let upstream = a.scratch[worker].tokens.rows(0..<rows.count)
      linearBackward(memory.outputPatches.rows(rows), weight: weights.output.weight, into: upstream)
      memory.tokenGradients.rows(rows).clear()
      for (i, sample) in samples.enumerated() {
        let rows = a.tokens.rows(sample..<sample + 1)
        modulatedLayerNormBackward(
          upstream.rows(i * c.tokens..<(i + 1) * c.tokens), a.decoder.output.rows(rows),
          shift: modulations.vector(sample)[0..<c.width], scale: modulations.vector(sample)[c.width..<2 * c.width],
          statistics: a.outputStatistics.rows(rows), y: a.normalizedOutput.rows(rows),
          dx: memory.tokenGradients.rows(rows), shiftGradient: dmodulations.vector(sample)[0..<c.width],
          scaleGradient: dmodulations.vector(sample)[c.width..<2 * c.width])
      }
      check?.look(memory.tokenGradients.rows(rows), "final_layer", "norm", "gradient")
    }
    weightGradients([
      .init(memory.outputPatches.rows(allRows), a.normalizedOutput.rows(allRows), gradients.output),
      modulationTask(columns: 0..<2 * c.width),
    ])
    onFinal(range(from: "final_layer.linear.weight", through: "final_layer.linear.bias"))
    modulationIsFinal("final_layer")
  }

  /// The blocks of a section, last to first; `dx` turns from the gradient of its output into that of its input.
  func section(_ section: Section, dx: Matrix) {
    let (sectionActivations, tokens) = activations.section(section)
    for block in c.blocks(of: section).reversed() {
      let live = network.slots(0..<tokens.samples.count, in: block, activations)
      if c.projector?.afterBlock == block + 1 {
        if activations.readsFeatures { features(section, block, live, dx) }
        onFinal(range(from: "projectors.0.weight", through: "projectors.4.bias"))
      }
      defer {
        onFinal(network.layout.range(ofBlock: block))
        modulationIsFinal(c.name(ofBlock: block))
      }
      guard !live.isEmpty else { continue }
      dataGradients(block, tokens, live, dx)
      let index = block - c.blocks(of: section).lowerBound
      blockWeightGradients(block, sectionActivations.blocks[index], tokens, live)
    }
  }

  private func dataGradients(_ block: Int, _ tokens: TokenSet, _ live: Range<Int>, _ dx: Matrix) {
    let (network, weights, activations, memory, check) = (network, weights, activations, memory, check)
    let modulationGradient = activations.condition.modulationGradients.columns(
      network.layout.modulationColumns(ofBlock: block))
    network.workers.run(over: live.count, grain: tokens.slotsPerChunk) { worker, slots in
      let block = network.block(block, weights, activations, slots, worker, check)
      if activations.recomputes { block.forward() }
      block.backward(dx: dx.rows(tokens.rows(slots)), modulationGradient: modulationGradient, memory.block)
    }
  }

  private func blockWeightGradients(_ block: Int, _ a: BlockActivations, _ tokens: TokenSet, _ live: Range<Int>) {
    let rows = tokens.rows(live)
    let (g, p) = (memory.block, gradients.blocks[block])
    weightGradients([
      .init(g.added.rows(rows), a.hidden.rows(rows), p.fc2),
      .init(g.hidden.rows(rows), a.between.rows(rows), p.fc1),
      .init(g.qkv.rows(rows), g.normalizedInput.rows(rows), p.qkv),
      .init(g.projected.rows(rows), a.attended.rows(rows), p.projection),
      modulationTask(columns: network.layout.modulationColumns(ofBlock: block)),
    ])
    biasBackward(g.norms.rows(live).columns(0..<c.headWidth), into: p.queryNorm)
    biasBackward(g.norms.rows(live).columns(c.headWidth..<2 * c.headWidth), into: p.keyNorm)
  }

  /// features = projector(x): adds to dx and to the projector's gradients.
  private func features(_ section: Section, _ block: Int, _ live: Range<Int>, _ dx: Matrix) {
    let (sectionActivations, tokens) = activations.section(section)
    guard let all = activations.projector else { return }
    let output = sectionActivations.blocks[block - c.blocks(of: section).lowerBound].output
    let weights = weights
    network.workers.run(over: live.count, grain: tokens.slotsPerChunk) { _, slots in
      let rows = tokens.rows(slots)
      let p = all.rows(rows)
      linearBackward(p.featureGradients, weight: weights.projector[2].weight, into: p.gradient1)
      siluBackward(p.gradient1, p.hidden1)
      linearBackward(p.gradient1, weight: weights.projector[1].weight, into: p.gradient0)
      siluBackward(p.gradient0, p.hidden0)
      linearBackward(p.gradient0, weight: weights.projector[0].weight, into: dx.rows(rows), adding: true)
    }
    let rows = tokens.rows(live)
    let p = all.rows(rows)
    weightGradients([
      .init(p.featureGradients, p.activated1, gradients.projector[2]),
      .init(p.gradient1, p.activated0, gradients.projector[1]),
      .init(p.gradient0, output.rows(rows), gradients.projector[0]),
    ])
  }

  /// fused = W_deep · deep + b + W_shallow · shallow, deep being the mask token at dropped places.
  func fusion() {
    let (a, memory) = (activations, memory)
    memory.deepGradients.rows(0..<a.deep.rows(0..<a.deep.samples.count).upperBound).clear()
    let lasting = a.deep.rows(0..<a.deep.lasting)
    a.deepRows.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      gatherRows(memory.tokenGradients, ids, into: memory.fusedGradients.rows(lasting))
    }
    if let fusion = weights.fusion, let gradient = gradients.fusion {
      linearFusion(fusion, gradient, lasting)
    } else {
      memory.deepGradients.rows(lasting).copy(from: memory.fusedGradients.rows(lasting))
      memory.shallowGradients.rows(allRows).clear()
      if c.learnsMaskToken { addDroppedSum(to: gradients.maskToken) }
    }
    onFinal(range(from: "renoise_linear.weight", through: "mask_token"))
  }

  private func linearFusion(_ fusion: LinearParameters, _ gradient: LinearParameters, _ lasting: Range<Int>) {
    let (a, memory, c) = (activations, memory, c)
    let (deep, shallow) = (0..<c.width, c.width..<2 * c.width)
    forEachChunk { _, samples in
      let rows = a.tokens.rows(samples)
      linearBackward(
        memory.tokenGradients.rows(rows), weight: fusion.weight.columns(shallow),
        into: memory.shallowGradients.rows(rows))
    }
    network.workers.run(over: lasting.count, grain: TokenSet.rowsPerChunk) { _, rows in
      linearBackward(
        memory.fusedGradients.rows(rows), weight: fusion.weight.columns(deep), into: memory.deepGradients.rows(rows))
    }
    weightGradients([
      .init(
        memory.tokenGradients.rows(allRows), a.encoder.output.rows(allRows),
        weight: gradient.weight.columns(shallow), bias: gradient.bias),
      .init(
        memory.fusedGradients.rows(lasting), a.middle.output.rows(lasting),
        weight: gradient.weight.columns(deep), bias: nil),
    ])
    // Dropped places all hold the mask token: their share of W_deep's gradient is one outer product.
    let row = memory.droppedSum
    row.clear()
    addDroppedSum(to: row.flattened)
    multiply(
      row, weights.maskToken.matrix(columns: c.width), into: gradient.weight.columns(deep), transposeA: true,
      adding: true)
    if c.learnsMaskToken {
      linearBackward(
        row, weight: fusion.weight.columns(deep), into: gradients.maskToken.matrix(columns: c.width), adding: true)
    }
  }

  /// Adds the gradients of all places where the deep path was dropped.
  private func addDroppedSum(to sum: Vector) {
    activations.isDeep.removeAll(keepingCapacity: true)
    activations.isDeep.append(contentsOf: repeatElement(false, count: allRows.count))
    for row in activations.deepRows[0..<activations.deep.lasting * activations.deep.tokens] {
      activations.isDeep[Int(row)] = true
    }
    for row in allRows where !activations.isDeep[row] {
      biasBackward(memory.tokenGradients.rows(row..<row + 1), into: sum)
    }
  }

  /// The middle took its tokens from the encoder's output.
  func rejoin() {
    let rows = activations.deep.rows(0..<activations.deep.samples.count)
    activations.deepRows.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      gatherRowsBackward(memory.deepGradients.rows(rows), ids, addingTo: memory.shallowGradients)
    }
  }

  /// tokens = linear(patches); no gradient towards the latents is ever needed.
  func input() {
    weightGradients([.init(memory.shallowGradients.rows(allRows), activations.patches.rows(allRows), gradients.input)])
    onFinal(range(from: "x_embedder.proj.weight", through: "x_embedder.proj.bias"))
  }

  /// modulations = W · SiLU(c) + b, c = timeMLP(t) + class
  func condition() {
    let (a, weights) = (activations.condition.first(batch), weights)
    network.workers.run(over: c.width, grain: 64) { _, columns in
      multiply(
        a.modulationGradients, weights.modulationWeight.columns(columns), into: a.gradient.columns(columns))
    }
    siluBackward(a.gradient, a.condition)
    addEmbeddingBackward(a.gradient, ids: activations.labels, tableGradient: gradients.classes)
    linearBackward(a.gradient, weight: weights.time2.weight, into: a.activatedGradient)
    siluBackward(a.activatedGradient, a.hidden)
    weightGradients([
      .init(a.gradient, a.activated, gradients.time2), .init(a.activatedGradient, a.features, gradients.time0),
    ])
    check?.look(a.activatedGradient, "t_embedder", "mlp.0", "gradient")
    onFinal(network.layout.range("t_embedder.mlp.0.weight").lowerBound..<network.layout.count)
  }

  /// The modulation's weights lie with those of all others, far from the rest of their block.
  private func modulationIsFinal(_ owner: String) {
    for part in ["weight", "bias"] { onFinal(network.layout.range("\(owner).adaLN_modulation.1.\(part)")) }
  }

  // MARK: Weight gradients

  /// One layer's dW += dyᵀ · x and db += Σ dy.
  private struct WeightTask: Sendable {
    let dy, x: Matrix
    let weight: Matrix
    let bias: Vector?

    init(_ dy: Matrix, _ x: Matrix, weight: Matrix, bias: Vector?) {
      (self.dy, self.x, self.weight, self.bias) = (dy, x, weight, bias)
    }

    init(_ dy: Matrix, _ x: Matrix, _ layer: LinearParameters) {
      self.init(dy, x, weight: layer.weight, bias: layer.bias)
    }
  }

  private func modulationTask(columns: Range<Int>) -> WeightTask {
    let a = activations.condition.first(batch)
    return WeightTask(
      a.modulationGradients.columns(columns), a.conditionActivated, weight: gradients.modulationWeight.rows(columns),
      bias: gradients.modulationBias[columns])
  }

  private func weightGradients(_ tasks: [WeightTask]) {
    let parts = network.workers.count
    network.workers.run(tasks: tasks.count * parts) { _, index in
      let task = tasks[index / parts]
      let outputs = Workers.slice(index % parts, of: parts, total: task.weight.rows)
      guard !outputs.isEmpty, task.dy.rows > 0 else { return }
      linearWeightBackward(task.dy, task.x, into: task.weight, outputs: outputs)
      if let bias = task.bias { biasBackward(task.dy.columns(outputs), into: bias[outputs]) }
    }
  }

  private func forEachChunk(_ body: @Sendable (_ worker: Int, _ samples: Range<Int>) -> Void) {
    network.workers.run(over: batch, grain: activations.tokens.slotsPerChunk, body)
  }

  /// From the first parameter, where the network has it, to the end of the last.
  private func range(from first: String, through last: String) -> Range<Int> {
    let end = network.layout.range(last)
    return (network.layout.parameter(first)?.range ?? end).lowerBound..<end.upperBound
  }
}

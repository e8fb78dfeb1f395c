import SprintKernels

extension Network {
  /// Adds the gradients of `pass` to `gradients`, starting from `memory.velocityGradient` and, if the pass read
  /// features, from the gradients of the features. `pass` is the last forward pass in `memory`.
  ///
  /// Goes block by block, last to first. Data gradients are computed chunk by chunk of samples; the gradient of each
  /// weight is one product over all tokens, split over the workers by output rows.
  ///
  /// - Parameter onFinal: called with each stretch of the arena that this pass has finished; the stretches cover the
  ///   arena
  package func backward(
    _ weights: ParameterArena, adding gradients: ParameterArena, of pass: Pass, in memory: PassMemory,
    check: FiniteCheck? = nil, onFinal: @escaping (Range<Int>) -> Void = { _ in }
  ) {
    let own = memory.backwardMemory
    let context = PassContext(self, weights, memory, pass, check)
    let backward = BackwardPass(context: context, gradients: gradients.views, own: own)
    let final = FinalGradients(layout: layout, configuration: configuration, report: onFinal)
    own.condition[.modulations].clear()
    backward.outputLayer()
    final.outputLayer()
    backward.section(.decoder, dx: own.tokenGradients, final)
    backward.fusion()
    final.fusion()
    backward.section(.middle, dx: own.deepGradients, final)
    backward.rejoin()
    backward.section(.encoder, dx: own.shallowGradients, final)
    backward.inputLayer()
    final.inputLayer()
    backward.condition()
    final.embeddings()
  }
}

/// The sections of the backward pass, which are those of the forward pass in reverse order.
private struct BackwardPass: Sendable {
  let context: PassContext
  let gradients: NetworkParameters
  let own: BackwardMemory

  private var configuration: ModelConfiguration { context.configuration }
  private var memory: PassMemory { context.memory }
  private var pass: Pass { context.pass }
  private var weights: NetworkParameters { context.weights }
  private var workers: Workers { context.network.workers }
  private var layout: ParameterLayout { context.network.layout }
  private var allRows: Range<Int> { context.rows(0..<context.batch) }

  /// velocity = linear(norm(x) modulated)
  func outputLayer() {
    let modulation = context.outputModulation
    let columns = layout.outputModulationColumns
    let modulationGradient = Modulation<OutputModulationPart>(
      own.condition[.modulations].columns(columns), width: configuration.width)
    forEachChunk { worker, samples in
      let rows = context.rows(samples)
      let upstream = memory.scratch[worker].tokens.rows(0..<rows.count)
      for sample in samples {
        patchify(
          own.velocityGradient.vector(sample), into: own.outputPatches.rows(context.rows(ofSample: sample)),
          configuration)
      }
      linearBackward(own.outputPatches.rows(rows), weight: weights.output.weight, into: upstream)
      own.tokenGradients.rows(rows).clear()
      for (i, sample) in samples.enumerated() {
        let rows = context.rows(ofSample: sample)
        modulatedLayerNormBackward(
          upstream.rows(i * rows.count..<(i + 1) * rows.count), memory.decoder.output.rows(rows),
          modulation.output(sample), statistics: memory.outputStatistics.rows(rows),
          recomputing: memory.normalizedOutput.rows(rows), adding: own.tokenGradients.rows(rows),
          adding: modulationGradient.output(sample))
      }
      context.check?.look(own.tokenGradients.rows(rows), "final_layer", "norm", "gradient")
    }
    workers.run([
      WeightTask(
        own.outputPatches.rows(allRows), memory.normalizedOutput.rows(allRows), adding: gradients.output),
      modulationTask(columns),
    ])
  }

  // MARK: Blocks

  /// Goes through the blocks of a section, last to first; `dx` turns from the gradient of its output into that of its
  /// input.
  func section(_ section: Section, dx: Matrix, _ final: FinalGradients) {
    let slots = 0..<pass.tokens(of: section).samples.count
    for block in configuration.blocks(of: section).reversed() {
      let live = pass.live(slots, in: block, configuration)
      if configuration.projector?.afterBlock == block + 1 {
        if pass.readsFeatures { features(section, block, live, adding: dx) }
        final.projector()
      }
      if !live.isEmpty {
        dataGradients(section, block, live, dx)
        weightGradients(section, block, live)
      }
      final.block(block)
    }
  }

  private func dataGradients(_ section: Section, _ block: Int, _ live: Range<Int>, _ dx: Matrix) {
    let tokens = pass.tokens(of: section)
    let modulationGradient = Modulation<ModulationPart>(
      own.condition[.modulations].columns(layout.modulationColumns(ofBlock: block)), width: configuration.width)
    workers.run(over: live.count, grain: tokens.slotsPerChunk) { worker, slots in
      let (computation, rows) = (context.block(block, slots, worker), tokens.rows(slots))
      if memory.recomputes { computation.forward() }
      computation.backward(
        dx: dx.rows(rows), adding: modulationGradient, into: own.block.rows(rows), norms: own.norms)
    }
  }

  private func weightGradients(_ section: Section, _ block: Int, _ live: Range<Int>) {
    let rows = pass.tokens(of: section).rows(live)
    let activations = memory.section(section).blocks[configuration.index(ofBlock: block)].rows(rows)
    let (computed, layer) = (own.block.rows(rows), gradients.blocks[block])
    workers.run([
      WeightTask(computed[.added], activations[.hidden], adding: layer.fc2),
      WeightTask(computed[.hidden], activations[.between], adding: layer.fc1),
      WeightTask(computed[.qkv], computed[.normalizedInput], adding: layer.qkv),
      WeightTask(computed[.projected], activations[.attended], adding: layer.projection),
      modulationTask(layout.modulationColumns(ofBlock: block)),
    ])
    let (norms, headWidth) = (own.norms.rows(live), configuration.headWidth)
    biasBackward(norms.columns(0..<headWidth), adding: layer.queryNorm)
    biasBackward(norms.columns(headWidth..<2 * headWidth), adding: layer.keyNorm)
  }

  /// features = projector(x)
  private func features(_ section: Section, _ block: Int, _ live: Range<Int>, adding dx: Matrix) {
    guard let projector = memory.projector else { return }
    let tokens = pass.tokens(of: section)
    workers.run(over: live.count, grain: tokens.slotsPerChunk) { _, slots in
      let rows = tokens.rows(slots)
      let part = projector.rows(rows)
      linearBackward(part[.featureGradients], weight: weights.projector[2].weight, into: part[.gradient1])
      siluBackward(part[.gradient1], part[.hidden1])
      linearBackward(part[.gradient1], weight: weights.projector[1].weight, into: part[.gradient0])
      siluBackward(part[.gradient0], part[.hidden0])
      linearBackward(part[.gradient0], weight: weights.projector[0].weight, adding: dx.rows(rows))
    }
    let rows = tokens.rows(live)
    let part = projector.rows(rows)
    let x = memory.section(section).tokens[configuration.index(ofBlock: block) + 1].rows(rows)
    workers.run([
      WeightTask(part[.featureGradients], part[.activated1], adding: gradients.projector[2]),
      WeightTask(part[.gradient1], part[.activated0], adding: gradients.projector[1]),
      WeightTask(part[.gradient0], x, adding: gradients.projector[0]),
    ])
  }

  // MARK: Fusion

  /// fused = W_deep · deep + b + W_shallow · shallow, where `deep` is the mask token at dropped places.
  func fusion() {
    own.deepGradients.rows(pass.deep.rows(0..<pass.deep.samples.count)).clear()
    let lasting = pass.deep.rows(0..<pass.deep.lasting)
    pass.deepRows.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      gatherRows(own.tokenGradients, ids, into: own.fusedGradients.rows(lasting))
    }
    if let fusion = weights.fusion, let gradient = gradients.fusion {
      fusionLayer(fusion, gradient, lasting)
      fusedMask(fusion, gradient)
    } else {
      own.deepGradients.rows(lasting).copy(from: own.fusedGradients.rows(lasting))
      own.shallowGradients.rows(allRows).clear()
      if configuration.learnsMaskToken { addDroppedSum(to: gradients.maskToken) }
    }
  }

  private var deepHalf: Range<Int> { 0..<configuration.width }
  private var shallowHalf: Range<Int> { configuration.width..<2 * configuration.width }

  private func fusionLayer(_ fusion: LinearParameters, _ gradient: LinearParameters, _ lasting: Range<Int>) {
    forEachChunk { _, samples in
      let rows = context.rows(samples)
      linearBackward(
        own.tokenGradients.rows(rows), weight: fusion.weight.columns(shallowHalf),
        into: own.shallowGradients.rows(rows))
    }
    workers.run(over: lasting.count, grain: TokenSet.rowsPerChunk) { _, rows in
      linearBackward(
        own.fusedGradients.rows(rows), weight: fusion.weight.columns(deepHalf), into: own.deepGradients.rows(rows))
    }
    workers.run([
      WeightTask(
        own.tokenGradients.rows(allRows), memory.encoder.output.rows(allRows),
        adding: gradient.weight.columns(shallowHalf), adding: gradient.bias),
      WeightTask(
        own.fusedGradients.rows(lasting), memory.middle.output.rows(lasting),
        adding: gradient.weight.columns(deepHalf), adding: nil),
    ])
  }

  /// All dropped places hold the mask token, so their share of W_deep's gradient is one outer product.
  private func fusedMask(_ fusion: LinearParameters, _ gradient: LinearParameters) {
    let sum = own.droppedSum
    sum.clear()
    addDroppedSum(to: sum.flattened)
    multiply(
      sum, weights.maskToken.matrix(columns: configuration.width), adding: gradient.weight.columns(deepHalf),
      transposeA: true)
    if configuration.learnsMaskToken {
      linearBackward(
        sum, weight: fusion.weight.columns(deepHalf),
        adding: gradients.maskToken.matrix(columns: configuration.width))
    }
  }

  /// Adds the gradients of all places where the deep path was dropped.
  private func addDroppedSum(to sum: Vector) {
    for row in allRows where !pass.isDeep[row] {
      biasBackward(own.tokenGradients.rows(row..<row + 1), adding: sum)
    }
  }

  /// The middle took its tokens from the encoder's output.
  func rejoin() {
    let rows = pass.deep.rows(0..<pass.deep.samples.count)
    pass.deepRows.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      gatherRowsBackward(own.deepGradients.rows(rows), ids, adding: own.shallowGradients)
    }
  }

  // MARK: Input

  /// tokens = linear(patches); nothing needs the gradient of the latents.
  func inputLayer() {
    workers.run([
      WeightTask(own.shallowGradients.rows(allRows), memory.patches.rows(allRows), adding: gradients.input)
    ])
  }

  /// modulations = W · SiLU(condition) + b, condition = timeMLP(t) + class
  func condition() {
    let activations = memory.condition.rows(0..<context.batch)
    let computed = own.condition.rows(0..<context.batch)
    let (condition, hidden) = (computed[.condition], computed[.hidden])
    workers.run(over: configuration.width, grain: 64) { _, columns in
      multiply(computed[.modulations], weights.modulationWeight.columns(columns), into: condition.columns(columns))
    }
    siluBackward(condition, activations[.condition])
    addEmbeddingBackward(condition, ids: pass.labels, adding: gradients.classes)
    linearBackward(condition, weight: weights.time2.weight, into: hidden)
    siluBackward(hidden, activations[.hidden])
    workers.run([
      WeightTask(condition, activations[.activated], adding: gradients.time2),
      WeightTask(hidden, activations[.timeFeatures], adding: gradients.time0),
    ])
    context.check?.look(hidden, "t_embedder", "mlp.0", "gradient")
  }

  private func modulationTask(_ columns: Range<Int>) -> WeightTask {
    let samples = 0..<context.batch
    return WeightTask(
      own.condition.rows(samples)[.modulations].columns(columns), memory.condition.rows(samples)[.conditionActivated],
      adding: gradients.modulationWeight.rows(columns), adding: gradients.modulationBias[columns])
  }

  private func forEachChunk(_ body: @Sendable (_ worker: Int, _ samples: Range<Int>) -> Void) {
    workers.run(over: context.batch, grain: pass.all.slotsPerChunk, body)
  }
}

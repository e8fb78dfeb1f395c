import SprintKernels

extension Network {
  /// Sets `gradients` to those of `pass`, or adds them, starting from `memory.velocityGradient` and, if the pass read
  /// features, from the gradients of the features. `pass` is the last forward pass in `memory`.
  ///
  /// Goes block by block, last to first. Data gradients are computed chunk by chunk of samples; the gradient of each
  /// weight is one product over all tokens, split over the workers by output rows.
  ///
  /// - Parameters:
  ///   - attentionGradient: the gradient of the objective with respect to the mean cross-entropy of attention
  ///   - adds: whether gradients are added to those that are there, which a memory that shares theirs does not allow
  ///   - onFinal: called with each stretch of the arena that this pass has finished; the stretches cover the arena
  package func backward(
    _ weights: any NetworkWeights, into gradients: ParameterArena<Float>, adds: Bool = false, of pass: Pass,
    attentionGradient: Double = 0, in memory: PassMemory, check: FiniteCheck? = nil,
    onFinal: @escaping (Range<Int>) -> Void = { _ in }
  ) {
    if let shared = memory.sharedGradients {
      precondition(shared === gradients && !adds, "activations lie in the memory of other gradients, or of all")
    }
    let clear = { [workers, elements = gradients.elements] (stretch: Range<Int>) in
      workers.run(over: stretch.count, grain: 1 << 16) { _, part in elements[stretch][part].clear() }
    }
    let stretches = GradientStretches(
      layout: layout, configuration: configuration, begin: adds ? { _ in } : clear, finish: onFinal)
    switch memory.matrices {
    case .float32(let matrices):
      let context = PassContext(self, weights, matrices, pass, attentionGradient: attentionGradient, check)
      BackwardPass(context, adding: gradients).run(stretches)
    case .bfloat16(let matrices):
      let context = PassContext(self, weights, matrices, pass, attentionGradient: attentionGradient, check)
      BackwardPass(context, adding: gradients).run(stretches)
    }
  }
}

/// The sections of the backward pass, which are those of the forward pass in reverse order.
private struct BackwardPass<Element: MatrixElement>: Sendable {
  let context: PassContext<Element>
  let gradients: NetworkParameters<Float>
  let own: BackwardMemory<Element>

  init(_ context: PassContext<Element>, adding gradients: ParameterArena<Float>) {
    (self.context, self.gradients, own) = (context, gradients.views, context.memory.backward)
  }

  func run(_ stretches: GradientStretches) {
    own.modulations.clear()
    own.firstValues?.rows(allRows).clear()
    own.valueShares.clear()
    stretches.outputLayer { outputLayer() }
    section(.decoder, dx: own.tokenGradients, stretches)
    stretches.fusion { fusion() }
    section(.middle, dx: own.deepGradients, stretches)
    rejoin()
    section(.encoder, dx: own.shallowGradients, stretches)
    stretches.inputLayer { inputLayer() }
    stretches.embeddings { condition() }
  }

  private var configuration: ModelConfiguration { context.configuration }
  private var memory: PassMatrices<Element> { context.memory }
  private var pass: Pass { context.pass }
  private var weights: NetworkParameters<Element> { context.weights }
  private var workers: Workers { context.network.workers }
  private var layout: ParameterLayout { context.network.layout }
  private var allRows: Range<Int> { context.rows(0..<context.batch) }

  /// velocity = linear(norm(x) modulated), of patches and, by another layer, of the class token
  func outputLayer() {
    let modulation = context.outputModulation
    let columns = layout.outputModulationColumns
    let modulationGradient = Modulation<OutputModulationPart>(
      own.modulations.columns(columns), width: configuration.width)
    forEachChunk { worker, samples in
      let rows = context.rows(samples)
      let upstream = memory.scratch[worker].tokens.rows(0..<rows.count)
      for sample in samples {
        unpatchifyBackward(
          own.velocityGradient.vector(sample), into: own.outputPatches.rows(context.patchRows(ofSample: sample)),
          configuration)
      }
      if configuration.prefix > 0 { context.classRows(of: own.outputPatches.rows(rows)).clear() }
      linearBackward(own.outputPatches.rows(rows), weight: weights.output.weight, into: upstream)
      if let layer = weights.classToken, let gradient = own.classToken?.velocityOperand.updated(samples) {
        linearBackward(gradient, weight: layer.output.weight, into: context.classRows(of: upstream))
      }
      own.tokenGradients.rows(rows).clear()
      for (i, sample) in samples.enumerated() {
        let rows = context.rows(ofSample: sample)
        modulatedNormBackward(
          upstream.rows(i * rows.count..<(i + 1) * rows.count), memory.decoder.output.rows(rows), configuration.norm,
          modulation.output(sample), statistics: memory.outputStatistics.rows(rows),
          recomputing: own.feedForward.normalized.rows(rows), adding: own.tokenGradients.rows(rows),
          adding: modulationGradient.output(sample))
      }
      context.check?.look(own.tokenGradients.rows(rows), "final_layer", "norm", "gradient")
    }
    let normalized = own.feedForward.normalized.rows(allRows)
    workers.run([
      WeightTask(own.outputPatches.rows(allRows), normalized, adding: gradients.output), modulationTask(columns),
    ])
    if let layer = gradients.classToken, let gradient = own.classToken?.velocityOperand.rows(0..<context.batch) {
      workers.run([WeightTask(gradient, context.classRows(of: normalized), adding: layer.output)])
    }
  }

  // MARK: Blocks

  /// Goes through the blocks of a section, last to first; `dx` turns from the gradient of its output into that of its
  /// input.
  func section(_ section: Section, dx: Matrix<Float>, _ stretches: GradientStretches) {
    let slots = 0..<pass.tokens(of: section).samples.count
    for block in configuration.blocks(of: section).reversed() {
      let live = pass.live(slots, in: block, configuration)
      if configuration.projector?.afterBlock == block + 1 {
        stretches.projector { if pass.readsFeatures { features(section, live, adding: dx) } }
      }
      stretches.block(block) {
        guard !live.isEmpty else { return }
        feedForward(section, block, live, dx)
        attention(section, block, live, dx)
      }
    }
  }

  private func feedForward(_ section: Section, _ block: Int, _ live: Range<Int>, _ dx: Matrix<Float>) {
    forEachChunk(of: section, live) { worker, slots in
      let (computation, rows) = (context.block(block, slots, worker), pass.tokens(of: section).rows(slots))
      Trace.span("block", "\(configuration.name(ofBlock: block)) feed-forward backward") {
        if memory.recomputes { computation.forward() }
        computation.backwardFeedForward(
          dx: dx.rows(rows), adding: modulationGradient(ofBlock: block), into: own.feedForward.rows(rows))
      }
    }
    let (rows, layer) = (pass.tokens(of: section).rows(live), gradients.blocks[block])
    let (computed, activations) = (own.feedForward.rows(rows), activations(of: section, block, rows))
    workers.run([
      WeightTask(computed.output, activations[.hidden], adding: layer.fc2),
      WeightTask(computed.inner, computed.normalized, adding: layer.fc1),
    ])
  }

  private func attention(_ section: Section, _ block: Int, _ live: Range<Int>, _ dx: Matrix<Float>) {
    forEachChunk(of: section, live) { worker, slots in
      let (computation, rows) = (context.block(block, slots, worker), pass.tokens(of: section).rows(slots))
      Trace.span("block", "\(configuration.name(ofBlock: block)) attention backward") {
        computation.backwardAttention(
          dx: dx.rows(rows), adding: modulationGradient(ofBlock: block), into: own.attention.rows(rows),
          norms: own.norms, shares: own.valueShares.columns(block..<block + 1))
      }
    }
    let (rows, layer) = (pass.tokens(of: section).rows(live), gradients.blocks[block])
    let (computed, activations) = (own.attention.rows(rows), activations(of: section, block, rows))
    workers.run([
      WeightTask(computed.inner, computed.normalized, adding: layer.qkv),
      WeightTask(computed.output, activations[.attended], adding: layer.projection),
      modulationTask(layout.modulationColumns(ofBlock: block)),
    ])
    let (norms, headWidth) = (own.norms.rows(live), configuration.headWidth)
    biasBackward(norms.columns(0..<headWidth), adding: layer.queryNorm)
    biasBackward(norms.columns(headWidth..<2 * headWidth), adding: layer.keyNorm)
  }

  private func modulationGradient(ofBlock block: Int) -> Modulation<ModulationPart> {
    Modulation(own.modulations.columns(layout.modulationColumns(ofBlock: block)), width: configuration.width)
  }

  private func activations(
    of section: Section, _ block: Int, _ rows: Range<Int>
  ) -> MatrixGroup<BlockActivation, Element> {
    memory.section(section).blocks[configuration.index(ofBlock: block)].activations.rows(rows)
  }

  /// features = projector(x)
  private func features(_ section: Section, _ live: Range<Int>, adding dx: Matrix<Float>) {
    guard let projector = memory.projector else { return }
    let tokens = pass.tokens(of: section)
    workers.run(over: live.count, grain: tokens.slotsPerChunk) { _, slots in
      let rows = tokens.rows(slots)
      let part = projector.activations.rows(rows)
      linearBackward(
        projector.gradientOperand.updated(rows), weight: weights.projector[2].weight, into: part[.gradient1])
      siluBackward(part[.gradient1], part[.hidden1])
      linearBackward(part[.gradient1], weight: weights.projector[1].weight, into: part[.gradient0])
      siluBackward(part[.gradient0], part[.hidden0])
      linearBackward(part[.gradient0], weight: weights.projector[0].weight, adding: dx.rows(rows))
    }
    let rows = tokens.rows(live)
    let part = projector.activations.rows(rows)
    workers.run([
      WeightTask(projector.gradientOperand.rows(rows), part[.activated1], adding: gradients.projector[2]),
      WeightTask(part[.gradient1], part[.activated0], adding: gradients.projector[1]),
      WeightTask(part[.gradient0], projector.input.rows(rows), adding: gradients.projector[0]),
    ])
  }

  // MARK: Fusion

  /// fused = W_deep · deep + b + W_shallow · shallow, where `deep` is the mask token at dropped places.
  func fusion() {
    own.deepGradients.rows(pass.deep.rows(0..<pass.deep.samples.count)).clear()
    let lasting = pass.deep.rows(0..<pass.deep.lasting)
    if let fusion = weights.fusion, let gradient = gradients.fusion {
      gatherKept(into: own.fusedGradients.rows(lasting))
      fusionLayer(fusion, gradient, lasting)
      fusedMask(fusion, gradient)
    } else {
      gatherKept(into: own.deepGradients.rows(lasting))
      own.shallowGradients.rows(allRows).clear()
      if configuration.learnsMaskToken { addDroppedSum(to: gradients.maskToken) }
    }
  }

  private func gatherKept<Result: MatrixElement>(into gradients: Matrix<Result>) {
    pass.deep.rows.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      gatherRows(own.tokenGradients, ids, into: gradients)
    }
  }

  private var deepHalf: Range<Int> { configuration.fusion.deepColumns(width: configuration.width) }
  private var shallowHalf: Range<Int> { configuration.fusion.shallowColumns(width: configuration.width) }

  private func fusionLayer(
    _ fusion: LinearParameters<Element>, _ gradient: LinearParameters<Float>, _ lasting: Range<Int>
  ) {
    forEachChunk { _, samples in
      let rows = context.rows(samples)
      linearBackward(
        own.tokenOperand.updated(rows), weight: fusion.weight.columns(shallowHalf),
        into: own.shallowGradients.rows(rows))
    }
    workers.run(over: lasting.count, grain: TokenSet.rowsPerChunk) { _, rows in
      linearBackward(
        own.fusedGradients.rows(rows), weight: fusion.weight.columns(deepHalf), into: own.deepGradients.rows(rows))
    }
    workers.run([
      WeightTask(
        own.tokenOperand.rows(allRows), memory.shallowOperand.rows(allRows),
        adding: gradient.weight.columns(shallowHalf), adding: gradient.bias),
      WeightTask(
        own.fusedGradients.rows(lasting), memory.deepOperand.rows(lasting), adding: gradient.weight.columns(deepHalf),
        adding: nil),
    ])
  }

  /// All dropped places hold the mask token, so their share of W_deep's gradient is one outer product.
  private func fusedMask(_ fusion: LinearParameters<Element>, _ gradient: LinearParameters<Float>) {
    let sum = own.droppedSum
    sum.clear()
    addDroppedSum(to: sum.flattened)
    let operand = own.droppedOperand.updated(0..<1)
    multiply(
      operand, weights.maskToken.matrix(columns: configuration.width), adding: gradient.weight.columns(deepHalf),
      transposeA: true)
    if configuration.learnsMaskToken {
      linearBackward(
        operand, weight: fusion.weight.columns(deepHalf),
        adding: gradients.maskToken.matrix(columns: configuration.width))
    }
  }

  /// Adds the gradients of all places where the deep path was dropped.
  private func addDroppedSum(to sum: Vector<Float>) {
    for row in allRows where !pass.isDeep[row] {
      biasBackward(own.tokenGradients.rows(row..<row + 1), adding: sum)
    }
  }

  /// The middle took its tokens from the encoder's output.
  func rejoin() {
    let rows = pass.deep.rows(0..<pass.deep.samples.count)
    pass.deep.rows.withUnsafeBufferPointer {
      guard let ids = $0.baseAddress else { return }
      gatherRowsBackward(own.deepGradients.rows(rows), ids, adding: own.shallowGradients)
    }
  }

  // MARK: Input

  /// tokens = linear(patches); nothing needs the gradient of the latents.
  func inputLayer() {
    classToken()
    forEachChunk { _, samples in _ = own.shallowOperand.updated(context.rows(samples)) }
    workers.run([
      WeightTask(own.shallowOperand.rows(allRows), memory.patches.rows(allRows), adding: gradients.input)
    ])
  }

  /// token 0 = norm(linear(class token)). Its rows of the gradient are zero afterwards, as no patch is in them.
  private func classToken() {
    guard let layer = weights.classToken, let gradient = gradients.classToken, let memory = memory.classToken,
      let own = own.classToken
    else { return }
    let (samples, upstream) = (0..<context.batch, context.classRows(of: self.own.shallowGradients.rows(allRows)))
    let projected = own.projected.rows(samples)
    rmsNormBackward(
      upstream, memory.projected.rows(samples), weight: layer.norm, into: projected, adding: gradient.norm)
    workers.run([WeightTask(projected, memory.input.rows(samples), adding: gradient.input)])
    upstream.clear()
  }

  /// modulations = W · SiLU(condition) + b, condition = timeMLP(t) + class
  func condition() {
    let activations = memory.condition.rows(0..<context.batch)
    let computed = own.condition.rows(0..<context.batch)
    let (condition, hidden) = (computed[.condition], computed[.hidden])
    // A block that no image entered has brought nothing up to date.
    let modulations = own.modulationOperand.updated(0..<context.batch)
    workers.run(over: configuration.width, grain: 64) { _, columns in
      multiply(modulations, weights.modulationWeight.columns(columns), into: condition.columns(columns))
    }
    siluBackward(condition, memory.conditionSums[.condition].rows(0..<context.batch))
    addEmbeddingBackward(condition, ids: pass.labels, adding: gradients.classes)
    linearBackward(condition, weight: weights.time2.weight, into: hidden)
    siluBackward(hidden, activations[.hidden])
    workers.run([
      WeightTask(condition, activations[.activated], adding: gradients.time2),
      WeightTask(hidden, activations[.timeFeatures], adding: gradients.time0),
    ])
    context.check?.look(hidden, "t_embedder", "mlp.0", "gradient")
    for block in configuration.blocksThatMixValues {
      guard let share = gradients.blocks[block].valueShare else { continue }
      biasBackward(own.valueShares.columns(block..<block + 1), adding: share)
    }
  }

  private func modulationTask(_ columns: Range<Int>) -> WeightTask<Element> {
    let samples = 0..<context.batch
    return WeightTask(
      own.modulationOperand.updated(samples, columns: columns), memory.condition.rows(samples)[.conditionActivated],
      adding: gradients.modulationWeight.rows(columns), adding: gradients.modulationBias[columns])
  }

  private func forEachChunk(_ body: @Sendable (_ worker: Int, _ samples: Range<Int>) -> Void) {
    workers.run(over: context.batch, grain: pass.all.slotsPerChunk, body)
  }

  private func forEachChunk(
    of section: Section, _ live: Range<Int>, _ body: @Sendable (_ worker: Int, _ slots: Range<Int>) -> Void
  ) {
    workers.run(over: live.count, grain: pass.tokens(of: section).slotsPerChunk, body)
  }
}

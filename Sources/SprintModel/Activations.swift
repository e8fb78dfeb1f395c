import SprintKernels

/// What one block remembers of its forward pass; R rows.
struct BlockActivations: Sendable {
  /// [R, D] the block's input.
  var input: Matrix
  /// [R, 3 D] queries, keys and values before normalisation.
  var qkv: Matrix
  /// [R, D] what attention gathers.
  var attended: Matrix
  /// [R, D] that, projected.
  var projected: Matrix
  /// [R, D] the tokens between attention and feed-forward.
  var between: Matrix
  /// [R, F] the feed-forward layer before GELU.
  var hidden: Matrix
  /// [R, D] what the feed-forward layer adds.
  var added: Matrix
  /// [R, H] log of each softmax's normaliser.
  var logSumExp: Matrix
  /// [R, 2] mean and inverse deviation in front of attention.
  var inputStatistics: Matrix
  /// [R, 2] mean and inverse deviation in front of the feed-forward layer.
  var betweenStatistics: Matrix
  /// [R, D] the block's output, which is the next block's input.
  var output: Matrix

  /// The same, of some rows.
  func rows(_ range: Range<Int>) -> BlockActivations {
    BlockActivations(
      input: input.rows(range), qkv: qkv.rows(range), attended: attended.rows(range), projected: projected.rows(range),
      between: between.rows(range), hidden: hidden.rows(range), added: added.rows(range),
      logSumExp: logSumExp.rows(range),
      inputStatistics: inputStatistics.rows(range), betweenStatistics: betweenStatistics.rows(range),
      output: output.rows(range))
  }
}

/// Gradients and recomputed activations of the block that the backward pass is in; R rows, reused from block to block.
struct BlockGradients: Sendable {
  let normalizedInput, normalizedBetween, projected, added: Matrix  // [R, D]
  let activated, hidden: Matrix  // [R, F]
  let qkv: Matrix  // [R, 3 D]
  /// [slots, 2 · headWidth] gradients of the query and key norms, slot by slot, summed in order afterwards.
  let norms: Matrix

  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, slots: Int, _ c: ModelConfiguration) {
    normalizedInput = cut(rows, c.width)
    normalizedBetween = cut(rows, c.width)
    projected = cut(rows, c.width)
    added = cut(rows, c.width)
    activated = cut(rows, c.hidden)
    hidden = cut(rows, c.hidden)
    qkv = cut(rows, 3 * c.width)
    norms = cut(slots, 2 * c.headWidth)
  }
}

/// Memory of one worker inside a block.
struct WorkerScratch: Sendable {
  let tokens: Matrix  // [chunk rows, D]
  let hidden: Matrix  // [chunk rows, F]
  let rotated: Matrix  // [N, 2 D] queries and keys of one sample, normalised and turned
  let scores, scoreGradients: Matrix  // [N, N]

  init(
    _ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, tokens n: Int, training: Bool, _ c: ModelConfiguration
  ) {
    tokens = cut(rows, c.width)
    hidden = cut(rows, c.hidden)
    rotated = cut(n, 2 * c.width)
    scores = cut(n, n)
    scoreGradients = training ? cut(n, n) : scores
  }
}

/// The memory of one section: its blocks' activations, from the section's input to its output.
struct SectionActivations: Sendable {
  let blocks: [BlockActivations]
  /// [R, D] what the section starts from.
  let input: Matrix
  /// [R, D] what it ends with.
  let output: Matrix

  /// For training every block keeps its own; otherwise all blocks share one, and two inputs take turns.
  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, depth: Int, training: Bool, _ c: ModelConfiguration) {
    var inputs = (0...(training ? depth : min(depth, 1))).map { _ in cut(rows, c.width) }
    while inputs.count <= depth { inputs.append(inputs[inputs.count - 2]) }
    var blocks: [BlockActivations] = []
    for i in 0..<depth {
      if !training, var shared = blocks.first {
        (shared.input, shared.output) = (inputs[i], inputs[i + 1])
        blocks.append(shared)
        continue
      }
      blocks.append(
        BlockActivations(
          input: inputs[i], qkv: cut(rows, 3 * c.width), attended: cut(rows, c.width), projected: cut(rows, c.width),
          between: cut(rows, c.width), hidden: cut(rows, c.hidden), added: cut(rows, c.width),
          logSumExp: cut(rows, c.heads), inputStatistics: cut(rows, 2), betweenStatistics: cut(rows, 2),
          output: inputs[i + 1]))
    }
    self.blocks = blocks
    input = inputs[0]
    output = inputs[depth]
  }
}

/// What the condition (time and class) goes through; B rows.
struct ConditionActivations: Sendable {
  private(set) var features: Matrix  // [B, 256] sinusoids
  private(set) var hidden, activated: Matrix  // [B, D] the time layer before and after SiLU
  private(set) var condition, conditionActivated: Matrix  // [B, D] time + class, before and after SiLU
  private(set) var modulations, modulationGradients: Matrix  // [B, (6 L + 2) D] shift, scale and gate of every layer
  private(set) var gradient, activatedGradient: Matrix  // [B, D]

  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, batch: Int, training: Bool, _ c: ModelConfiguration) {
    features = cut(batch, ParameterLayout.timeFeatureWidth)
    hidden = cut(batch, c.width)
    activated = cut(batch, c.width)
    condition = cut(batch, c.width)
    conditionActivated = cut(batch, c.width)
    modulations = cut(batch, (6 * c.blocks + 2) * c.width)
    modulationGradients = training ? cut(batch, (6 * c.blocks + 2) * c.width) : modulations
    gradient = training ? cut(batch, c.width) : hidden
    activatedGradient = training ? cut(batch, c.width) : hidden
  }

  /// The same, of the first `count` samples.
  func first(_ count: Int) -> ConditionActivations {
    let range = 0..<count
    var part = self
    part.features = features.rows(range)
    (part.hidden, part.activated) = (hidden.rows(range), activated.rows(range))
    (part.condition, part.conditionActivated) = (condition.rows(range), conditionActivated.rows(range))
    (part.modulations, part.modulationGradients) = (modulations.rows(range), modulationGradients.rows(range))
    (part.gradient, part.activatedGradient) = (gradient.rows(range), activatedGradient.rows(range))
    return part
  }
}

/// The projector's layers, before and after SiLU; R rows.
struct ProjectorActivations: Sendable {
  private(set) var hidden0, activated0, hidden1, activated1: Matrix  // [R, P]
  private(set) var features, featureGradients: Matrix  // [R, F]
  private(set) var gradient0, gradient1: Matrix  // [R, P]

  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, _ p: ProjectorConfiguration) {
    hidden0 = cut(rows, p.hidden)
    activated0 = cut(rows, p.hidden)
    hidden1 = cut(rows, p.hidden)
    activated1 = cut(rows, p.hidden)
    features = cut(rows, p.featureWidth)
    featureGradients = cut(rows, p.featureWidth)
    gradient0 = cut(rows, p.hidden)
    gradient1 = cut(rows, p.hidden)
  }

  /// The same, of some rows.
  func rows(_ range: Range<Int>) -> ProjectorActivations {
    var part = self
    (part.hidden0, part.activated0) = (hidden0.rows(range), activated0.rows(range))
    (part.hidden1, part.activated1) = (hidden1.rows(range), activated1.rows(range))
    (part.features, part.featureGradients) = (features.rows(range), featureGradients.rows(range))
    (part.gradient0, part.gradient1) = (gradient0.rows(range), gradient1.rows(range))
    return part
  }
}

/// What only the backward pass needs, reused from block to block.
struct BackwardMemory: Sendable {
  let tokenGradients, shallowGradients: Matrix  // [B N, D]
  let deepGradients, fusedGradients: Matrix  // [B M, D]
  let outputPatches: Matrix  // [B N, C p²]
  let droppedSum: Matrix  // [1, D]
  let block: BlockGradients

  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, batch: Int, tokens: Int, kept: Int, _ c: ModelConfiguration) {
    tokenGradients = cut(batch * tokens, c.width)
    shallowGradients = cut(batch * tokens, c.width)
    deepGradients = cut(batch * kept, c.width)
    fusedGradients = cut(batch * kept, c.width)
    outputPatches = cut(batch * tokens, c.patchElements)
    droppedSum = cut(1, c.width)
    block = BlockGradients(cut, rows: batch * max(tokens, kept), slots: batch, c)
  }
}

/// All memory of forward (and backward) passes over a batch of at most `batch` samples of which at most `kept` tokens go deep.
/// Planned once, reused for every pass.
public final class Activations: @unchecked Sendable {
  /// The most samples a pass may have.
  public let batch: Int
  /// The most tokens of a sample that the middle sees.
  public let kept: Int
  /// [B, C · S · S] the velocity that the last forward pass found.
  public let velocity: Matrix
  /// [B, C · S · S] the gradient of the loss with respect to it, to be written before the backward pass.
  public let velocityGradient: Matrix

  let patches, outputPatches, normalizedOutput, outputStatistics: Matrix
  let condition: ConditionActivations
  let encoder, middle, decoder: SectionActivations
  let fusedDeep: Matrix  // [B M, D] the deep half of the fusion
  let fusedMask: Matrix  // [1, D] the same for every dropped place
  let projector: ProjectorActivations?
  let scratch: [WorkerScratch]
  let backward: BackwardMemory?
  private let arena: Arena

  /// What the last forward pass worked on, for the backward pass.
  var tokens = TokenSet(batch: 0, tokens: 1)
  var deep = TokenSet(batch: 0, tokens: 1)
  var deepRows: [Int32] = []
  var labels: [Int] = []
  var readsFeatures = false

  /// Memory for `network`; without `training` there is none for a backward pass and blocks share theirs.
  public convenience init(_ network: Network, batch: Int, kept: Int? = nil, training: Bool) {
    var planned = 0
    _ = Plan(network, batch, kept ?? network.configuration.tokens, training) { rows, columns in
      planned += Arena.aligned(rows * columns)
      return Matrix(Activations.nowhere, rows: rows, columns: columns)
    }
    self.init(network, batch, kept ?? network.configuration.tokens, training, Arena(count: planned))
  }

  /// The address of the views of a plan that only counts; never read.
  private nonisolated(unsafe) static let nowhere = UnsafeMutablePointer<Float>.allocate(capacity: 1)

  private init(_ network: Network, _ batch: Int, _ kept: Int, _ training: Bool, _ arena: Arena) {
    let plan = Plan(network, batch, kept, training, arena.matrix)
    self.batch = batch
    self.kept = kept
    self.arena = arena
    (velocity, velocityGradient, patches, outputPatches) = (
      plan.velocity, plan.velocityGradient, plan.patches, plan.outputPatches
    )
    (normalizedOutput, outputStatistics, condition) = (plan.normalizedOutput, plan.outputStatistics, plan.condition)
    (encoder, middle, decoder) = (plan.encoder, plan.middle, plan.decoder)
    (fusedDeep, fusedMask, projector) = (plan.fusedDeep, plan.fusedMask, plan.projector)
    (scratch, backward) = (plan.scratch, plan.backward)
  }

  /// The projected features [rows, F] of the last pass and room for their gradient, where the model has a projector.
  public var features: (values: Matrix, gradients: Matrix)? {
    projector.map { ($0.features.rows(0..<featureRows), $0.featureGradients.rows(0..<featureRows)) }
  }

  /// The sample and the token that each row of `features` belongs to.
  public func featureToken(row: Int) -> (sample: Int, token: Int) {
    (featureTokens.samples[row / featureTokens.tokens], Int(featureTokens.positions[row]))
  }

  var featureTokens: TokenSet { featuresAreDeep ? deep : tokens }
  var featuresAreDeep = false
  private var featureRows: Int { readsFeatures ? featureTokens.positions.count : 0 }

  func section(_ section: Section) -> (SectionActivations, TokenSet) {
    switch section {
    case .encoder: (encoder, tokens)
    case .middle: (middle, deep)
    case .decoder: (decoder, tokens)
    }
  }
}

/// One walk over everything that has to be cut from the arena: once to count, once to cut.
private struct Plan {
  let velocity, velocityGradient, patches, outputPatches, normalizedOutput, outputStatistics: Matrix
  let condition: ConditionActivations
  let encoder, middle, decoder: SectionActivations
  let fusedDeep, fusedMask: Matrix
  let projector: ProjectorActivations?
  let scratch: [WorkerScratch]
  let backward: BackwardMemory?

  init(_ network: Network, _ batch: Int, _ kept: Int, _ training: Bool, _ cut: (_ rows: Int, _ columns: Int) -> Matrix)
  {
    let c = network.configuration
    let rows = batch * c.tokens
    velocity = cut(batch, c.latentElements)
    velocityGradient = training ? cut(batch, c.latentElements) : velocity
    patches = cut(rows, c.patchElements)
    outputPatches = cut(rows, c.patchElements)
    normalizedOutput = cut(rows, c.width)
    outputStatistics = cut(rows, 2)
    condition = ConditionActivations(cut, batch: batch, training: training, c)
    encoder = SectionActivations(cut, rows: rows, depth: c.encoderDepth, training: training, c)
    middle = SectionActivations(cut, rows: batch * kept, depth: c.middleDepth, training: training, c)
    decoder = SectionActivations(cut, rows: rows, depth: c.decoderDepth, training: training, c)
    fusedDeep = c.fusion == .none ? middle.output : cut(batch * kept, c.width)
    fusedMask = cut(1, c.width)
    projector = training ? c.projector.map { ProjectorActivations(cut, rows: rows, $0) } : nil
    let chunk = max(c.tokens * TokenSet.slotsPerChunk(tokens: c.tokens), kept * TokenSet.slotsPerChunk(tokens: kept))
    scratch = (0..<network.workers.count).map { _ in
      WorkerScratch(cut, rows: chunk, tokens: c.tokens, training: training, c)
    }
    backward = training ? BackwardMemory(cut, batch: batch, tokens: c.tokens, kept: kept, c) : nil
  }
}

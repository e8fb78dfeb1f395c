import SprintKernels

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

/// What activations have to hold.
package struct ActivationSize: Sendable {
  /// What the backward pass computes once more instead of having it kept.
  package enum Recompute: String, Sendable, CaseIterable {
    /// Nothing but norms, activation functions and attention's probabilities.
    case none
    /// All of every block: a third more work for a fraction of the memory.
    case blocks
  }

  /// The most samples of a pass.
  package var batch: Int
  /// The most tokens of a sample that the middle sees; nil for all.
  package var kept: Int?
  /// Whether there are backward passes.
  package var isTraining: Bool
  /// What these compute once more.
  package var recompute: Recompute

  /// The size of passes over at most so many samples.
  package init(batch: Int, kept: Int? = nil, training: Bool, recompute: Recompute = .none) {
    (self.batch, self.kept, isTraining, self.recompute) = (batch, kept, training, recompute)
  }

  var retention: Retention { isTraining ? recompute == .blocks ? .inputs : .everything : .nothing }
}

/// All memory of forward (and backward) passes over a batch of at most `batch` samples of which at most `kept` tokens go deep.
/// Planned once, reused for every pass.
package final class Activations: @unchecked Sendable {
  /// The most samples a pass may have.
  package let batch: Int
  /// The most tokens of a sample that the middle sees.
  package let kept: Int
  /// [B, C · S · S] the velocity that the last forward pass found.
  package let velocity: Matrix
  /// [B, C · S · S] the gradient of the loss with respect to it, to be written before the backward pass.
  package let velocityGradient: Matrix

  let patches, outputPatches, normalizedOutput, outputStatistics: Matrix
  let condition: ConditionActivations
  let encoder, middle, decoder: SectionActivations
  let fusedDeep: Matrix  // [B M, D] the deep half of the fusion
  let fusedMask: Matrix  // [1, D] the same for every dropped place
  let projector: ProjectorActivations?
  let scratch: [WorkerScratch]
  let backward: BackwardMemory?
  /// Whether the backward pass computes blocks once more.
  let recomputes: Bool
  private let arena: Arena

  /// What the last forward pass worked on, for the backward pass.
  var tokens = TokenSet(batch: 0, tokens: 1)
  var deep = TokenSet(batch: 0, tokens: 1)
  var deepRows: [Int32] = []
  /// Which rows of all tokens the deep path changed; memory of the backward pass.
  var isDeep: [Bool] = []
  var labels: [Int] = []
  var readsFeatures = false

  /// Memory of their own for passes of `network`.
  package convenience init(_ network: Network, _ size: ActivationSize) {
    self.init(network, size, in: Arena(count: Activations.count(network, size)))
  }

  /// Floats that activations need.
  package static func count(_ network: Network, _ size: ActivationSize) -> Int {
    var planned = 0
    _ = Plan(network, size) { rows, columns in
      planned += Arena.aligned(rows * columns)
      return Matrix(Activations.nowhere, rows: rows, columns: columns)
    }
    return planned
  }

  /// The address of the views of a plan that only counts; never read.
  private nonisolated(unsafe) static let nowhere = UnsafeMutablePointer<Float>.allocate(capacity: 1)

  /// Activations in memory that is large enough, which nothing else may use in the meantime.
  package init(_ network: Network, _ size: ActivationSize, in arena: Arena) {
    arena.reuse()
    let plan = Plan(network, size, arena.matrix)
    batch = size.batch
    kept = size.kept ?? network.configuration.tokens
    recomputes = size.retention == .inputs
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
  package var features: (values: Matrix, gradients: Matrix)? {
    projector.map { ($0.features.rows(0..<featureRows), $0.featureGradients.rows(0..<featureRows)) }
  }

  /// The sample and the token that each row of `features` belongs to.
  package func featureToken(row: Int) -> (sample: Int, token: Int) {
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

  init(_ network: Network, _ size: ActivationSize, _ cut: (_ rows: Int, _ columns: Int) -> Matrix) {
    let c = network.configuration
    let (batch, kept, training) = (size.batch, size.kept ?? c.tokens, size.isTraining)
    let (rows, deepRows) = (batch * c.tokens, batch * kept)
    velocity = cut(batch, c.latentElements)
    velocityGradient = training ? cut(batch, c.latentElements) : velocity
    patches = cut(rows, c.patchElements)
    outputPatches = cut(rows, c.patchElements)
    normalizedOutput = cut(rows, c.width)
    outputStatistics = cut(rows, 2)
    condition = ConditionActivations(cut, batch: batch, training: training, c)
    let shared = size.retention == .everything ? nil : BlockActivations(cut, rows: max(rows, deepRows), c)
    func section(_ rows: Int, _ depth: Int) -> SectionActivations {
      SectionActivations(cut, rows: rows, depth: depth, size.retention, shared: shared, c)
    }
    encoder = section(rows, c.encoderDepth)
    middle = section(deepRows, c.middleDepth)
    decoder = section(rows, c.decoderDepth)
    fusedDeep = c.fusion == .none ? middle.output : cut(deepRows, c.width)
    fusedMask = cut(1, c.width)
    projector = training ? c.projector.map { ProjectorActivations(cut, rows: rows, $0) } : nil
    // No worker gets more than its even share, nor more than a chunk.
    let share = training ? (batch + network.workers.count - 1) / network.workers.count * c.tokens : rows
    let chunk = max(c.tokens, min(share, training ? TokenSet.rowsPerChunk : TokenSet.rowsPerFixedChunk))
    scratch = (0..<network.workers.count).map { _ in
      WorkerScratch(cut, rows: chunk, tokens: c.tokens, training: training, c)
    }
    backward = training ? BackwardMemory(cut, batch: batch, tokens: c.tokens, kept: kept, c) : nil
  }
}

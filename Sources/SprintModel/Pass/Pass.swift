/// The state of one pass: the samples and tokens that it works on. The forward pass makes it, the backward pass takes
/// it. A `Pass` that serves again reuses its arrays, so that training steps allocate nothing.
package struct Pass: Sendable {
  /// [B] classes.
  private(set) var labels: [Int] = []
  /// All tokens of all samples: those of encoder and decoder.
  private(set) var all = TokenSet()
  /// The tokens of the middle.
  private(set) var deep = TokenSet()
  /// [B · N] whether the fusion takes a token from the middle; elsewhere it takes the mask token.
  private(set) var isDeep: [Bool] = []
  /// [B] the slot of each sample in `deep`, or nil if its deep path is dropped.
  private(set) var slotOfSample: [Int?] = []
  /// Whether the projector runs.
  private(set) var readsFeatures = false
  /// A teacher's attention that the network's is compared with, if any.
  private(set) var attention: AttentionTargets?
  private var featuresAreDeep = false
  /// The first of the middle blocks that samples without a deep path do not enter: no alignment reads it or a later
  /// one.
  private var firstUnread = 0

  /// Makes a pass that has not begun.
  package init() {}

  /// B, the number of samples.
  var batch: Int { labels.count }

  /// The tokens that a section works on.
  func tokens(of section: Section) -> TokenSet { section == .middle ? deep : all }

  /// The tokens that the projector reads.
  var featureTokens: TokenSet { featuresAreDeep ? deep : all }

  /// The sample and the token of a row of the projected features.
  package func featureToken(row: Int) -> (sample: Int, token: Int) {
    (featureTokens.samples[row / featureTokens.tokens], Int(featureTokens.positions[row]))
  }

  /// Becomes the state of a pass over `input`.
  mutating func begin(_ input: NetworkInput, _ configuration: ModelConfiguration) {
    labels = input.labels
    readsFeatures = input.readsFeatures && configuration.projector != nil
    featuresAreDeep = configuration.projector.map { configuration.section(of: $0.afterBlock - 1) == .middle } ?? false
    attention = input.attention
    firstUnread = findFirstUnread(configuration)
    all.takeAll(batch: batch, tokens: configuration.tokens)
    deep.take(
      input.deepPath, of: configuration.tokens,
      includingDropped: firstUnread > configuration.blocks(of: .middle).lowerBound)
    findPlaces(tokens: configuration.tokens)
    checkTargets(configuration)
  }

  private func findFirstUnread(_ configuration: ModelConfiguration) -> Int {
    let middle = configuration.blocks(of: .middle)
    let behindFeatures = readsFeatures && featuresAreDeep ? configuration.projector?.afterBlock ?? 0 : 0
    let compared = attention == nil ? [] : configuration.attentionAlignment?.blocks ?? []
    return compared.filter(middle.contains).reduce(behindFeatures) { max($0, $1 + 1) }
  }

  private func checkTargets(_ configuration: ModelConfiguration) {
    guard let attention else { return }
    precondition(
      attention.layout == configuration.attentionLayout(kept: deep.tokens), "a teacher's attention of other tokens")
  }

  private mutating func findPlaces(tokens: Int) {
    slotOfSample.removeAll(keepingCapacity: true)
    slotOfSample.append(contentsOf: repeatElement(nil, count: batch))
    for slot in 0..<deep.lasting { slotOfSample[deep.samples[slot]] = slot }
    isDeep.removeAll(keepingCapacity: true)
    isDeep.append(contentsOf: repeatElement(false, count: batch * tokens))
    for row in deep.rows[0..<deep.lasting * deep.tokens] { isDeep[Int(row)] = true }
  }

  /// The slots among `slots` that block `block` computes. In the middle, a sample whose deep path is dropped goes only
  /// as far as an alignment reads.
  func live(_ slots: Range<Int>, in block: Int, _ configuration: ModelConfiguration) -> Range<Int> {
    guard configuration.section(of: block) == .middle, block >= firstUnread else { return slots }
    return slots.clamped(to: 0..<deep.lasting)
  }
}

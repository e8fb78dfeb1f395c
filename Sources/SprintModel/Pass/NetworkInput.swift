import SprintKernels

/// The input of one pass over B samples.
package struct NetworkInput: Sendable {
  /// [B, C · S · S] latents on the path between data and noise.
  package var latents: Matrix<Float>
  /// [B, F] noisy class tokens, if the network has them.
  package var classTokens: Matrix<Float>?
  /// [B] times in [0, 1].
  package var times: [Float]
  /// [B] classes; the configured number of classes means "no class".
  package var labels: [Int]
  /// The tokens and samples that take the deep path.
  package var deepPath: DeepPath
  /// Whether the projector runs.
  package var readsFeatures: Bool
  /// A teacher's attention, or nil if the network's is compared with none.
  package var attention: AttentionTargets?

  /// Makes an input; all parts belong to the same B samples.
  package init(
    latents: Matrix<Float>, classTokens: Matrix<Float>? = nil, times: [Float], labels: [Int], deepPath: DeepPath,
    readsFeatures: Bool = false, attention: AttentionTargets? = nil
  ) {
    precondition(times.count == latents.rows && labels.count == latents.rows, "times or labels of another batch")
    precondition(deepPath.dropped.count == latents.rows, "a deep path of another batch")
    precondition(attention?.values.rows ?? latents.rows == latents.rows, "a teacher's attention of another batch")
    precondition(classTokens?.rows ?? latents.rows == latents.rows, "class tokens of another batch")
    self.latents = latents
    self.classTokens = classTokens
    self.times = times
    self.labels = labels
    self.deepPath = deepPath
    self.readsFeatures = readsFeatures
    self.attention = attention
  }
}

/// The tokens and samples that go through the middle. With this argument one forward pass serves training, sampling and
/// guidance.
package struct DeepPath: Sendable {
  /// The kept tokens, or nil for all.
  package var kept: KeptTokens?
  /// [B] whether the mask token replaces the deep path of a sample.
  package var dropped: [Bool]

  /// Makes the deep path of a batch of `dropped.count` samples.
  package init(kept: KeptTokens? = nil, dropped: [Bool]) {
    self.kept = kept
    self.dropped = dropped
  }

  /// The deep path of all tokens of `batch` samples.
  package static func all(batch: Int) -> DeepPath { DeepPath(dropped: Array(repeating: false, count: batch)) }
}

/// The way in which the deep and the shallow path meet before the decoder.
package enum Fusion: String, Sendable, CaseIterable {
  /// A linear layer over the concatenation of both.
  case concatLinear = "concat_linear"
  /// The deep path replaces the shallow one: the baseline of the published ablation.
  case none
}

/// The way in which the deep and the shallow path meet before the decoder.
package enum Fusion: String, Sendable, CaseIterable {
  /// A linear layer over the concatenation of both, the deep path first.
  case concatLinear = "concat_linear"
  /// A linear layer over the concatenation of both, the shallow path first. SR-DiT, arXiv 2512.12386.
  case shallowFirst = "concat_linear_shallow_first"
  /// The deep path replaces the shallow one: the baseline of the published ablation.
  case none

  /// The columns of the layer's weight [D, 2 D] that read the deep path.
  func deepColumns(width: Int) -> Range<Int> { self == .shallowFirst ? width..<2 * width : 0..<width }

  /// The columns of the layer's weight [D, 2 D] that read the shallow path.
  func shallowColumns(width: Int) -> Range<Int> { self == .shallowFirst ? 0..<width : width..<2 * width }
}

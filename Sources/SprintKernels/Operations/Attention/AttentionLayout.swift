/// The places of a teacher's attention for one sample in a row of numbers: for each of the teacher's layers, `heads`
/// matrices [M, M], where M is the number of tokens that the layer's student block sees.
package struct AttentionLayout: Sendable, Equatable {
  /// The heads of every layer.
  package let heads: Int
  /// M of every layer.
  package let tokens: [Int]

  /// Makes a layout of `tokens.count` layers.
  package init(heads: Int, tokens: [Int]) { (self.heads, self.tokens) = (heads, tokens) }

  /// The numbers of a sample.
  package var count: Int { tokens.reduce(0) { $0 + heads * $1 * $1 } }

  /// The numbers of a layer.
  package func range(ofLayer layer: Int) -> Range<Int> {
    let start = tokens[..<layer].reduce(0) { $0 + heads * $1 * $1 }
    return start..<start + heads * tokens[layer] * tokens[layer]
  }

  /// The matrix of a head among the numbers of a sample.
  package func map(_ sample: Vector<Float>, layer: Int, head: Int) -> Matrix<Float> {
    let size = tokens[layer] * tokens[layer]
    let start = range(ofLayer: layer).lowerBound + head * size
    return sample[start..<start + size].matrix(columns: tokens[layer])
  }
}

extension ModelConfiguration {
  /// FLOPs of one image's forward pass by the published algorithm, two for a multiplication with its addition, when `kept`
  /// tokens go through the middle. What an implementation saves or repeats does not change this number.
  package func forwardWork(kept: Int) -> Double {
    let full =
      Double(encoderDepth + decoderDepth) * blockWork(tokens: tokens) + Double(middleDepth) * blockWork(tokens: kept)
    let (n, d) = (Double(tokens), Double(width))
    let ends = 2 * 2 * n * Double(patchElements) * d
    let join = fusion == .concatLinear ? 2 * n * 2 * d * d : 0
    let conditioning = 2 * d * (256 + d) + 2 * d * d * Double(6 * blocks + 2)
    return full + ends + join + conditioning
  }

  /// FLOPs of one image's part of a training step: the backward pass takes twice the work of the forward pass.
  package func trainingWork(kept: Int) -> Double { 3 * forwardWork(kept: kept) }

  /// The part of `forwardWork` that attention's own products take: scores and values.
  package func attentionWork(kept: Int) -> Double {
    Double(encoderDepth + decoderDepth) * attentionWork(tokens: tokens)
      + Double(middleDepth) * attentionWork(tokens: kept)
  }

  private func blockWork(tokens: Int) -> Double {
    let (n, d) = (Double(tokens), Double(width))
    return 2 * n * (4 * d * d + 2 * d * Double(hidden)) + attentionWork(tokens: tokens)
  }

  private func attentionWork(tokens: Int) -> Double { 4 * Double(tokens * tokens) * Double(width) }
}

extension ModelConfiguration {
  /// FLOPs of the published forward pass for one image of which `kept` tokens go through the middle; a multiplication
  /// with its addition counts as two. Work that an implementation saves or repeats does not change this number.
  package func forwardWork(kept: Int) -> Double {
    let full =
      Double(encoderDepth + decoderDepth) * blockWork(tokens: tokens) + Double(middleDepth) * blockWork(tokens: kept)
    let (count, width) = (Double(tokens), Double(width))
    let ends = 2 * 2 * (Double(patches * patchElements) + Double(classToken ?? 0)) * width
    let join = fusion != .none ? 2 * count * 2 * width * width : 0
    let conditioning =
      2 * width * (Double(ModelConfiguration.timeFeatureWidth) + width) + 2 * width * width * Double(modulationVectors)
    return full + ends + join + conditioning
  }

  /// FLOPs of a training step for one image: a backward pass takes twice the work of a forward pass.
  package func trainingWork(kept: Int) -> Double { 3 * forwardWork(kept: kept) }

  /// FLOPs of attention's own products, scores and values, which `forwardWork` includes.
  package func attentionWork(kept: Int) -> Double {
    Double(encoderDepth + decoderDepth) * attentionWork(tokens: tokens)
      + Double(middleDepth) * attentionWork(tokens: kept)
  }

  /// FLOPs of the projector's forward pass for one image; the network's own work does not count them.
  package func projectorWork(kept: Int) -> Double {
    guard let projector else { return 0 }
    let rows = Double(section(of: projector.afterBlock - 1) == .middle ? kept : tokens)
    let hidden = Double(projector.hidden)
    return 2 * rows * hidden * (Double(width) + hidden + Double(projector.featureWidth))
  }

  private func blockWork(tokens: Int) -> Double {
    let (count, width) = (Double(tokens), Double(width))
    return 2 * count * (4 * width * width + 2 * width * Double(hidden)) + attentionWork(tokens: tokens)
  }

  private func attentionWork(tokens: Int) -> Double { 4 * Double(tokens * tokens) * Double(width) }
}

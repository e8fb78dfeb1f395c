/// The losses of one batch.
package struct Losses: Sendable, Equatable {
  /// Mean squared error of the velocity.
  package var denoising: Double
  /// Minus the mean cosine between projected features and those of the teacher; 0 without their alignment. REPA, arXiv
  /// 2410.06940.
  package var alignment: Double
  /// Mean cross-entropy of attention with the teacher's; 0 without its alignment. HASTE, arXiv 2505.16792.
  package var attention: Double
  /// Mean squared error of the class token's velocity; 0 without one. REG, arXiv 2507.01467.
  package var classToken: Double
  /// Minus the mean squared distance of the velocity to that of the sample before, towards which it must not go; 0
  /// without the contrast. Contrastive flow matching, arXiv 2506.05350.
  package var contrast: Double

  /// Makes the losses of a batch.
  package init(
    denoising: Double, alignment: Double = 0, attention: Double = 0, classToken: Double = 0, contrast: Double = 0
  ) {
    (self.denoising, self.alignment, self.attention) = (denoising, alignment, attention)
    (self.classToken, self.contrast) = (classToken, contrast)
  }

  private static let parts: [WritableKeyPath<Losses, Double> & Sendable] = [
    \.denoising, \.alignment, \.attention, \.classToken, \.contrast,
  ]

  /// The number of losses.
  package static let count = parts.count

  /// The losses as numbers, as they travel between ranks.
  package var numbers: [Double] { Self.parts.map { self[keyPath: $0] } }

  /// Reads losses from their `numbers`.
  package init(numbers: some Collection<Double>) {
    self.init(denoising: 0)
    for (part, number) in zip(Self.parts, numbers) { self[keyPath: part] = number }
  }

  /// Adds `share` times other losses.
  package mutating func add(_ other: Losses, times share: Double = 1) {
    for part in Self.parts { self[keyPath: part] += share * other[keyPath: part] }
  }
}

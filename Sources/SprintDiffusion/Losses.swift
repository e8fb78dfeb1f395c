/// The losses of one batch.
package struct Losses: Sendable, Equatable {
  /// Mean squared error of the velocity.
  package var denoising: Double
  /// Minus the mean cosine between projected features and those of the teacher; 0 without their alignment. REPA, arXiv
  /// 2410.06940.
  package var alignment: Double
  /// Mean cross-entropy of attention with the teacher's; 0 without its alignment. HASTE, arXiv 2505.16792.
  package var attention: Double

  /// Makes the losses of a batch.
  package init(denoising: Double, alignment: Double = 0, attention: Double = 0) {
    (self.denoising, self.alignment, self.attention) = (denoising, alignment, attention)
  }
}

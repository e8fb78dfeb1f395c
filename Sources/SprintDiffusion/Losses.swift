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
}

/// The factors of the losses in the objective.
package struct LossWeights: Sendable, Equatable {
  /// Of the velocity's mean squared error.
  package var denoising: Double
  /// Of the alignment of features, and of attention.
  package var alignment, attention: Double
  /// Of the mean squared error of the class token's velocity.
  package var classToken: Double
  /// Of the contrast with the velocity of the sample before.
  package var contrast: Double

  /// Makes an objective; the published one has the factor 1 for denoising.
  package init(
    denoising: Double = 1, alignment: Double = 0, attention: Double = 0, classToken: Double = 0, contrast: Double = 0
  ) {
    (self.denoising, self.alignment, self.attention) = (denoising, alignment, attention)
    (self.classToken, self.contrast) = (classToken, contrast)
  }

  /// The objective's value.
  package func total(_ losses: Losses) -> Double {
    denoising * losses.denoising + alignment * losses.alignment + attention * losses.attention
      + classToken * losses.classToken + contrast * losses.contrast
  }
}

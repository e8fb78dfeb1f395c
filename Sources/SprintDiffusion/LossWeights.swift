/// The factors of the losses in the objective.
package struct LossWeights: Sendable, Equatable {
  /// Of the velocity's mean squared error.
  package var denoising: Double
  /// Of the alignment of features, and of attention.
  package var alignment, attention: Double

  /// Makes an objective; the published one has the factor 1 for denoising.
  package init(denoising: Double = 1, alignment: Double = 0, attention: Double = 0) {
    (self.denoising, self.alignment, self.attention) = (denoising, alignment, attention)
  }

  /// The objective's value.
  package func total(_ losses: Losses) -> Double {
    denoising * losses.denoising + alignment * losses.alignment + attention * losses.attention
  }
}

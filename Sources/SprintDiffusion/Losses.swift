/// The losses of one batch.
package struct Losses: Sendable, Equatable {
  /// Mean squared error of the velocity.
  package var denoising: Double
  /// Minus the mean cosine between projected features and those of the teacher; 0 without alignment.
  package var alignment: Double

  /// Makes the losses of a batch.
  package init(denoising: Double, alignment: Double) {
    self.denoising = denoising
    self.alignment = alignment
  }
}

/// What a trainer reports while it works.
package enum TrainingEvent: Sendable {
  /// Something worth a line.
  case note(String)
  /// An update was made or skipped.
  case step(StepReport)
  /// The validation loss of the moving average after a step.
  case validation(step: Int, loss: Double)
  /// A checkpoint was written.
  case checkpoint(path: String, seconds: Double)
  /// Samples were drawn.
  case samples(path: String)
}

import Synchronization

/// One update, as it is reported.
package struct StepReport: Sendable {
  /// Where training stands after it.
  package var position: TrainingPosition
  /// The stage's name.
  package var stage: String
  /// Updates of the whole run.
  package var totalSteps: Int
  /// Mean squared error of the velocity, and the alignment loss.
  package var loss, alignment: Double
  /// Norm of the gradients before clipping.
  package var gradientNorm: Double
  /// Learning rate of the update.
  package var learningRate: Double
  /// Duration of the update in seconds, of which waiting for data.
  package var seconds, dataSeconds: Double
  /// Seconds that reducing the gradients took, and of them those that the backward pass did not hide.
  package var reductionSeconds, reductionWait: Double
  /// Images a second.
  package var imagesPerSecond: Double
  /// Share of the matrix products' peak rate that the published algorithm's work makes up.
  package var peakShare: Double
  /// Seconds to the end of the run at this rate.
  package var secondsLeft: Double
  /// Whether the update was left out because a number was not finite.
  package var isSkipped: Bool
}

/// What a trainer tells while it works.
package enum TrainingEvent: Sendable {
  /// Something worth a line.
  case note(String)
  /// An update was made.
  case step(StepReport)
  /// The validation loss of the moving average after a step.
  case validation(step: Int, loss: Double)
  /// A checkpoint was written.
  case checkpoint(path: String, seconds: Double)
  /// Samples were drawn.
  case samples(path: String)
}

/// A wish, from a signal for example, that training stop at the next step.
package final class StopRequest: Sendable {
  private let flag = Atomic(false)

  /// No wish yet.
  package init() {}

  /// Asks for the stop.
  package func request() { flag.store(true, ordering: .relaxed) }

  /// Whether it was asked for.
  package var isRequested: Bool { flag.load(ordering: .relaxed) }
}

import Synchronization

/// One update, as it is reported.
public struct StepReport: Sendable {
  /// Where training stands after it.
  public var position: TrainingPosition
  /// The stage's name.
  public var stage: String
  /// Updates of the whole run.
  public var totalSteps: Int
  /// Mean squared error of the velocity, and the alignment loss.
  public var loss, alignment: Double
  /// Norm of the gradients before clipping.
  public var gradientNorm: Double
  /// Learning rate of the update.
  public var learningRate: Double
  /// Duration of the update in seconds, of which waiting for data.
  public var seconds, dataSeconds: Double
  /// Seconds that reducing the gradients took, and of them those that the backward pass did not hide.
  public var reductionSeconds, reductionWait: Double
  /// Images a second.
  public var imagesPerSecond: Double
  /// Share of the matrix products' peak rate that the published algorithm's work makes up.
  public var peakShare: Double
  /// Seconds to the end of the run at this rate.
  public var secondsLeft: Double
  /// Whether the update was left out because a number was not finite.
  public var isSkipped: Bool
}

/// What a trainer tells while it works.
public enum TrainingEvent: Sendable {
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
public final class StopRequest: Sendable {
  private let flag = Atomic(false)

  /// No wish yet.
  public init() {}

  /// Asks for the stop.
  public func request() { flag.store(true, ordering: .relaxed) }

  /// Whether it was asked for.
  public var isRequested: Bool { flag.load(ordering: .relaxed) }
}

import SprintDiffusion
import SprintModel

/// One training step in numbers. `StepColumn` says which of them the log holds.
package struct StepReport: Sendable {
  /// Where training stands after the step.
  package let position: TrainingPosition
  /// The stage's name.
  package let stage: String
  /// Updates of the whole run.
  package let totalSteps: Int
  /// The losses of the global batch.
  package let losses: Losses
  /// Norm of the gradients before clipping.
  package let gradientNorm: Double
  /// Learning rate of the update.
  package let learningRate: Double
  /// The seconds of the step.
  package let timing: StepTiming
  /// Images a second, of all ranks together.
  package let imagesPerSecond: Double
  /// The published algorithm's work per second as a share of the peak rate of matrix products.
  package let peakShare: Double
  /// Seconds to the end of the run at this rate.
  package let secondsLeft: Double
}

/// Where the seconds of a step went at rank zero.
package struct StepTiming: Sendable {
  /// The whole step.
  package var seconds = 0.0
  /// Waiting for data.
  package var data = 0.0
  /// Reducing the gradients, and the part of it that the backward pass did not hide.
  package var reduction = 0.0, reductionWait = 0.0
}

extension Configuration {
  /// FLOP from `position` to the end of the run, by the published algorithm.
  func workLeft(from position: TrainingPosition) -> Double {
    stages.enumerated().reduce(0.0) { sum, entry in
      let (index, stage) = entry
      let done = index < position.stage ? stage.steps : index == position.stage ? position.stageStep : 0
      return sum + Double((stage.steps - done) * stage.batch) * trainingWork(of: stage)
    }
  }

  /// FLOP of one image in a step of `stage`, by the published algorithm.
  package func trainingWork(of stage: Stage) -> Double {
    model.trainingWork(kept: keptTokens(in: stage))
  }
}

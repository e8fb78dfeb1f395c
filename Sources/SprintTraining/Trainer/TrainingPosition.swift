/// Where training stands.
package struct TrainingPosition: Sendable, Equatable {
  /// Updates since the start of the run, in all stages.
  package var step = 0
  /// The stage that comes next or is under way.
  package var stage = 0
  /// Updates done in it.
  package var stageStep = 0
  /// Whether the stage is over before its last step.
  package var isStageOver = false
  /// Updates of this stage that were left out because a number was not finite.
  package var skipped = 0
  /// Samples drawn so far; the next sample's draw index.
  package var draws = 0
  /// The step after which the moving average was last validated.
  package var validated = 0
  /// The lowest validation loss of this stage, and validations since that did not go below it.
  package var bestValidation = Double.infinity, validationsWithoutGain = 0

  /// The start of a run.
  package init() {}

  /// All of it as numbers, by name, as a checkpoint stores them and rank zero tells them.
  static let fields: [(name: String, path: WritableKeyPath<TrainingPosition, Double> & Sendable)] = [
    ("step", \.step.number), ("stage", \.stage.number), ("stage_step", \.stageStep.number),
    ("stage_is_over", \.isStageOver.number), ("skipped", \.skipped.number), ("draws", \.draws.number),
    ("validated", \.validated.number), ("best_validation", \.bestValidation),
    ("validations_without_gain", \.validationsWithoutGain.number),
  ]

  /// The numbers of `fields`.
  var numbers: [Double] {
    get { Self.fields.map { self[keyPath: $0.path] } }
    set { for (field, number) in zip(Self.fields, newValue) { self[keyPath: field.path] = number } }
  }

  /// Whether its stage is done with: at its last step or before.
  func hasFinishedStage(of configuration: Configuration) -> Bool {
    isStageOver || stageStep == configuration.stages[stage].steps
  }

  /// After an update of a batch.
  mutating func advance(batch: Int, isSkipped: Bool) {
    step += 1
    stageStep += 1
    draws += batch
    if isSkipped { skipped += 1 }
  }

  /// At the start of the stage after this one.
  package mutating func enterNextStage() {
    stage += 1
    (stageStep, isStageOver, skipped) = (0, false, 0)
    (bestValidation, validationsWithoutGain) = (.infinity, 0)
  }
}

extension Int {
  // Exact up to 2^53.
  fileprivate var number: Double {
    get { Double(self) }
    set { self = Int(newValue) }
  }
}

extension Bool {
  fileprivate var number: Double {
    get { self ? 1 : 0 }
    set { self = newValue != 0 }
  }
}

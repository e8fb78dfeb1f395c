import SprintFormats

/// Where training stands.
package struct TrainingPosition: Sendable, Equatable {
  /// Updates since the start of the run, in all stages.
  package var step = 0
  /// The stage that comes next or is under way.
  package var stage = 0
  /// Updates done in it.
  package var stageStep = 0
  /// The stage ended before its last step.
  package var isStageOver = false
  /// Updates of this stage that were skipped because a number was not finite.
  package var skipped = 0
  /// Updates that were skipped since the last one that was made, also across the border of a stage.
  package var skippedInARow = 0
  /// Samples drawn so far; the draw index of the next sample.
  package var draws = 0
  /// The step after which the moving average was last validated.
  package var validated = 0
  /// The lowest validation loss of this stage, and the number of validations since then.
  package var bestValidation = Double.infinity, validationsWithoutGain = 0

  /// The angle between gradients has ended the alignment.
  package var isAlignmentOver = false

  /// The start of a run.
  package init() {}

  /// Every property as a number with its name: checkpoints store them, and rank zero broadcasts them.
  static let fields: [(name: String, path: WritableKeyPath<TrainingPosition, Double> & Sendable)] = [
    ("step", \.step.number), ("stage", \.stage.number), ("stage_step", \.stageStep.number),
    ("stage_is_over", \.isStageOver.number), ("skipped", \.skipped.number), ("draws", \.draws.number),
    ("validated", \.validated.number), ("best_validation", \.bestValidation),
    ("validations_without_gain", \.validationsWithoutGain.number), ("alignment_is_over", \.isAlignmentOver.number),
    ("skipped_in_a_row", \.skippedInARow.number),
  ]

  /// Numbers that checkpoints of older versions lack.
  private static let added = ["alignment_is_over": 0.0, "skipped_in_a_row": 0]

  /// The numbers of `fields`.
  var numbers: [Double] {
    get { Self.fields.map { self[keyPath: $0.path] } }
    set { for (field, number) in zip(Self.fields, newValue) { self[keyPath: field.path] = number } }
  }

  /// Reads a position that a file stores by name. Throws where a number is not one that training could have stored.
  ///
  /// - Parameter number: returns the number of a name, or nil if the file has none
  init(of path: String, _ number: (_ name: String) throws -> Double?) throws {
    for field in Self.fields {
      guard let value = try number(field.name) ?? Self.added[field.name] else {
        throw Checkpoint.lacks(field.name, path)
      }
      let isLoss = field.name == "best_validation"
      guard isLoss ? !value.isNaN : value >= 0 && value <= Self.largest && value == value.rounded() else {
        throw FileError.unexpected(
          path: path, name: field.name, found: "\(value)",
          expected: isLoss ? "a loss" : "a whole number from 0 to \(Int(Self.largest))")
      }
      self[keyPath: field.path] = value
    }
  }

  /// The largest number that a double holds exactly, and all below it.
  package static let largest = 0x1p53

  /// Throws where the position lies outside the stages of a configuration.
  func check(_ configuration: Configuration, of path: String) throws {
    let count = configuration.stages.count
    guard stage < count else {
      throw FileError.unexpected(path: path, name: "stage", found: "\(stage)", expected: "0 to \(count - 1)")
    }
    let steps = configuration.stages[stage].steps
    guard stageStep <= min(steps, step) else {
      throw FileError.unexpected(
        path: path, name: "stage_step", found: "\(stageStep)", expected: "at most \(min(steps, step))")
    }
    guard skipped <= stageStep else {
      throw FileError.unexpected(path: path, name: "skipped", found: "\(skipped)", expected: "at most \(stageStep)")
    }
    guard skippedInARow <= step else {
      throw FileError.unexpected(
        path: path, name: "skipped_in_a_row", found: "\(skippedInARow)", expected: "at most \(step)")
    }
    guard step <= configuration.totalSteps, validated <= step else {
      throw FileError.unexpected(
        path: path, name: "step", found: "\(step)", expected: "\(validated) to \(configuration.totalSteps)")
    }
  }

  /// Whether the last update was made before the first checkpoint was due.
  func isBeforeFirstCheckpoint(of configuration: Configuration) -> Bool {
    stage == 0 && step - skippedInARow <= configuration.checkpoint.interval
  }

  /// Whether the stage has ended, at its last step or before.
  func hasFinishedStage(of configuration: Configuration) -> Bool {
    isStageOver || stageStep == configuration.stages[stage].steps
  }

  /// Whether all stages have ended.
  func hasFinished(_ configuration: Configuration) -> Bool {
    stage + 1 == configuration.stages.count && hasFinishedStage(of: configuration)
  }

  /// Counts one update of `batch` samples.
  package mutating func advance(batch: Int, isSkipped: Bool) {
    step += 1
    stageStep += 1
    draws += batch
    if isSkipped { skipped += 1 }
    skippedInARow = isSkipped ? skippedInARow + 1 : 0
  }

  /// Moves to the start of the next stage.
  package mutating func enterNextStage() {
    stage += 1
    (stageStep, isStageOver, skipped) = (0, false, 0)
    (bestValidation, validationsWithoutGain) = (.infinity, 0)
  }

  /// Goes on with changes of the configuration: a row of skipped updates is counted anew, a stage that its plateau
  /// ended goes on if it is longer now or has another plateau, and losses of other validations are not compared.
  mutating func take(_ changes: [ConfigurationDifference], _ configuration: Configuration, since other: Configuration) {
    guard !changes.isEmpty else { return }
    skippedInARow = 0
    let (stage, before) = (configuration.stages[stage], other.stages[stage])
    if stage.plateau != before.plateau || stage.steps > before.steps {
      (isStageOver, validationsWithoutGain) = (false, 0)
    }
    if configuration.validation != other.validation { (bestValidation, validationsWithoutGain) = (.infinity, 0) }
  }

  /// Notes a validation loss. The stage is over once the loss has reached its plateau.
  package mutating func note(validationLoss loss: Double, _ plateau: Stage.Plateau?) {
    validated = step
    guard let plateau else { return }
    if loss < bestValidation * (1 - plateau.threshold) || bestValidation == .infinity {
      (bestValidation, validationsWithoutGain) = (loss, 0)
    } else {
      validationsWithoutGain += 1
      if validationsWithoutGain >= plateau.patience { isStageOver = true }
    }
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

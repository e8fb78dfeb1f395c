/// What rank zero tells every rank in each step.
package struct Directive: Equatable {
  /// What happens to the gradients of the step.
  package enum Update: Int {
    case make, skip, fail
  }

  /// The losses of the global batch.
  package var loss = 0.0, alignment = 0.0, attention = 0.0, classToken = 0.0, contrast = 0.0
  /// The norm of all gradients.
  package var gradientNorm = 0.0
  /// What happens to the gradients.
  package var update = Update.make
  /// What all ranks do after the update.
  package var validates = false, drawsSamples = false, savesCheckpoint = false, stops = false

  /// A directive to update and go on.
  package init() {}

  /// The directive as numbers, as it travels to the ranks.
  package var numbers: [Double] {
    let flags = [validates, drawsSamples, savesCheckpoint, stops].map { $0 ? 1.0 : 0 }
    return [loss, alignment, attention, gradientNorm, Double(update.rawValue)] + flags + [classToken, contrast]
  }

  /// Reads a directive from its `numbers`.
  package init(_ numbers: [Double]) {
    (loss, alignment, attention, gradientNorm) = (numbers[0], numbers[1], numbers[2], numbers[3])
    update = Update(rawValue: Int(numbers[4])) ?? .fail
    (validates, drawsSamples) = (numbers[5] != 0, numbers[6] != 0)
    (savesCheckpoint, stops) = (numbers[7] != 0, numbers[8] != 0)
    (classToken, contrast) = (numbers[9], numbers[10])
  }

  /// Loss and gradient norm, for messages about numbers that are not finite.
  var numbersInWords: String { "loss \(loss), gradient norm \(gradientNorm)" }
}

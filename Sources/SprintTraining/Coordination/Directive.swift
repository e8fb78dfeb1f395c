import SprintDiffusion

/// What rank zero tells every rank in each step.
package struct Directive: Equatable {
  /// What happens to the gradients of the step.
  package enum Update: Int {
    case make, skip, fail
  }

  /// The losses of the global batch.
  package var losses = Losses(denoising: 0)
  /// The norm of all gradients.
  package var gradientNorm = 0.0
  /// What happens to the gradients.
  package var update = Update.make
  /// What all ranks do after the update.
  package var validates = false, drawsSamples = false, savesCheckpoint = false, stops = false
  /// Whether all ranks measure their matrix products again.
  package var measuresPeak = false

  /// A directive to update and go on.
  package init() {}

  /// The directive as numbers, as it travels to the ranks.
  package var numbers: [Double] {
    let flags = [validates, drawsSamples, savesCheckpoint, stops, measuresPeak].map { $0 ? 1.0 : 0 }
    return losses.numbers + [gradientNorm, Double(update.rawValue)] + flags
  }

  /// Reads a directive from its `numbers`.
  package init(_ numbers: [Double]) {
    losses = Losses(numbers: numbers.prefix(Losses.count))
    let rest = Array(numbers.dropFirst(Losses.count))
    gradientNorm = rest[0]
    update = Update(rawValue: Int(rest[1])) ?? .fail
    (validates, drawsSamples, savesCheckpoint, stops) = (rest[2] != 0, rest[3] != 0, rest[4] != 0, rest[5] != 0)
    measuresPeak = rest[6] != 0
  }

  /// Loss and gradient norm, for messages about numbers that are not finite.
  var numbersInWords: String { "loss \(losses.denoising), gradient norm \(gradientNorm)" }
}

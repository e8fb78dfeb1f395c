import Foundation
import SprintTraining

/// Prints training events: a line that updates itself on a terminal, plain lines elsewhere.
final class TrainingPrinter {
  private let interval: Int
  private var hasStatus = false
  /// Whether training has begun; until then a mistake may still end the run.
  private var hasSteps = false

  /// - Parameter interval: steps between plain lines
  init(interval: Int) { self.interval = interval }

  /// Prints one event.
  func show(_ event: TrainingEvent) {
    switch event {
    case .note(let text): line(text)
    case .validation(let step, let loss): line("step \(step)  validation loss \(String(format: "%.5f", loss))")
    case .checkpoint(let path, let seconds): line("checkpoint \(path) in \(String(format: "%.2f", seconds)) s")
    case .samples(let path): line("samples \(path)")
    case .step(let step): show(step)
    }
  }

  /// Ends the progress line.
  func finish() {
    if hasStatus { Console.line("") }
    hasStatus = false
  }

  private func show(_ step: StepReport) {
    if !hasSteps { Console.printKernelNotice() }
    hasSteps = true
    if Console.isTerminal {
      Console.status(Self.describe(step))
      hasStatus = true
    } else if step.position.step % interval == 0 || step.position.step == 1 || step.position.step == step.totalSteps {
      Console.line(Self.describe(step))
    }
  }

  private func line(_ text: String) {
    if hasStatus { Console.status("") }
    hasStatus = false
    Console.line(text)
  }

  private static func describe(_ step: StepReport) -> String {
    let alignment = [
      ("align", step.losses.alignment), ("attention", step.losses.attention), ("class", step.losses.classToken),
    ].filter {
      $0.1 != 0
    }
    .map { String(format: "  %@ %.4f", $0.0, $0.1) }.joined()
    return String(
      format: "step %ld/%ld  %@  loss %.5f%@  |g| %.3f  %.1f images/s  %.0f%% of peak  %@ left", step.position.step,
      step.totalSteps, step.stage, step.losses.denoising, alignment, step.gradientNorm, step.imagesPerSecond,
      100 * step.peakShare, duration(step.secondsLeft))
  }
}

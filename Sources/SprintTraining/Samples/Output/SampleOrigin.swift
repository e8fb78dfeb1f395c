import SprintDiffusion
import SprintKernels

/// What drawn samples depend on, as their file says it.
package struct SampleOrigin {
  private let parts: [String]

  /// Describes samples of a network.
  ///
  /// - Parameters:
  ///   - labels: the classes, e.g. `random of 1000`
  ///   - weights: which weights of what, with their hash
  package init(
    _ settings: SamplerSettings, _ precision: Precision, seed: UInt64, labels: String, weights: String
  ) {
    let guidance = settings.guidance
    let pull =
      guidance.kind == .none
      ? "guidance none"
      : "guidance \(guidance.kind.rawValue)\(guidance.keepsClass ? " with class" : ""), scale \(guidance.scale), "
        + "interval \(guidance.interval.lowerBound) to \(guidance.interval.upperBound)"
    parts = [
      "drawn by sprint in \(precision.rawValue)", "sampler \(settings.method.rawValue), steps \(settings.steps)", pull,
      "seed \(seed)", "classes \(labels)", "weights \(weights)",
    ]
  }

  /// Describes samples of a file, as the file does it.
  package init(file text: String) { parts = text.isEmpty ? [] : [text] }

  /// One line of all parts.
  ///
  /// - Parameter decoder: the autoencoder that made images of the samples
  package func text(decoder: LatentDecoder?) -> String {
    let decoded = decoder.map { ["decoded with \($0.name), sha256 \($0.fingerprint)"] } ?? []
    return (parts + decoded).joined(separator: "; ")
  }
}

import SprintFormats
import SprintVision

extension EvaluationNetwork {
  /// The networks by their names in commands.
  package enum Choice: Sendable, Equatable {
    /// The pixels themselves.
    case pixels
    /// The Inception network of FID, with the file of its weights.
    case inception(String)
    /// A DINOv2 of size `s`, `b` or `l`, with the file of its weights.
    case dinov2(size: String, String)

    /// What a text has to be.
    package static let expected = "inception=WEIGHTS, dinov2-s=WEIGHTS, dinov2-b=WEIGHTS, dinov2-l=WEIGHTS or pixels"

    /// Reads e.g. `pixels` or `inception=weights.safetensors`; nil where it is neither.
    package init?(_ text: String) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let path = parts.count == 2 && !parts[1].isEmpty ? parts[1] : nil
      switch (parts[0], path) {
      case ("pixels", nil) where parts.count == 1: self = .pixels
      case ("inception", let path?): self = .inception(path)
      case ("dinov2-s", let path?), ("dinov2-b", let path?), ("dinov2-l", let path?):
        self = .dinov2(size: String(parts[0].suffix(1)), path)
      default: return nil
      }
    }
  }

  /// Reads the weights.
  package init(_ choice: Choice) throws {
    switch choice {
    case .pixels: self = .pixels
    case .inception(let path): self = .network(try Inception(path: path))
    case .dinov2(let size, let path):
      let network = try DINOv2(path: path)
      guard network.name == "dinov2-\(size)" else {
        throw FileError.unusable(
          path: path, problem: "holds the weights of \(network.name), expected dinov2-\(size)",
          remedy: EvaluationRemedy.nameNetwork(network.name))
      }
      self = .network(network)
    }
  }
}

import Foundation
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

/// Measures a network of features: `SPRINT_FEATURES=inception=weights.safetensors swift test -c release --filter
/// FeatureSpeed`; dinov2 in place of inception measures DINOv2. `feature_speed.py` makes random weights and measures
/// PyTorch in the same way.
@Suite("Speed of features", .enabled(if: choice != nil, "SPRINT_FEATURES names no network"))
struct FeatureSpeed {
  @Test("A network of features computes the same numbers each time")
  func measure() throws {
    BLAS.useOneThread()
    let parts = (choice ?? "").split(separator: "=", maxSplits: 1).map(String.init)
    let path = try #require(parts.count == 2 ? parts[1] : nil, "expected NETWORK=FILE")
    let network: any FeatureNetwork =
      parts[0] == "inception" ? try Inception(path: path) : try DINOv2(path: path)
    let workers = Workers(2)
    let side = parts[0] == "inception" ? 299 : 224
    let pictures = (0..<8).map { index in
      var picture = Picture(width: side, height: side)
      for x in 0..<side {
        for y in 0..<side { picture[x, y] = (UInt8(x * y % 256), UInt8(x % 256), UInt8((y + index) % 256)) }
      }
      return picture
    }
    var first: [[Float]] = []
    let seconds = try (0..<4).map { _ in
      try ContinuousClock().measure {
        let features = try network.features(of: pictures, workers).pooled
        if first.isEmpty { first = features }
        #expect(features == first)
      } / .seconds(1)
    }
    print("\(network.name): \(Double(pictures.count) / (seconds.min() ?? 1)) images/s")
  }
}

/// The network to measure.
private let choice = ProcessInfo.processInfo.environment["SPRINT_FEATURES"]

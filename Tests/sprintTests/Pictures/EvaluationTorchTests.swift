import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Whole evaluations against PyTorch's features and numpy's numbers.
  @Suite(
    .enabled(if: Python.has("torch", "torchvision", "PIL"), Comment(rawValue: Python.lacks("torch and torchvision"))))
  struct EvaluationTorchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Random pictures of waves with noise, [n, 40, 40, 3].
    private func write(_ name: String, _ count: Int, spread: Float) throws -> String {
      var random = Randomness(name)
      let bytes = (0..<count).flatMap { _ -> [UInt8] in
        let (waves, noise) = (random.normal(9), random.normal(40 * 40 * 3, deviation: 12))
        return noise.enumerated().map { place, noise in
          let (y, x, channel) = (Float(place / 120), Float(place / 3 % 40), 3 * (place % 3))
          let level = spread * sin(waves[channel] * x / 8 + waves[channel + 1] * y / 8 + waves[channel + 2])
          return UInt8(max(0, min(255, 128 + level + noise)))
        }
      }
      let path = folder.file(name)
      try NPYArray.writeNPZ([.init("arr_0", .uint8, shape: [count, 40, 40, 3], bytes)], to: path)
      return path
    }

    private func weights(_ network: String) throws -> String {
      let made =
        network == "inception"
        ? try Python.run(["Tests/Reference/inception_reference.py", "--out", folder.path])
        : try Python.run([
          "Tests/Reference/dinov2_reference.py", "network", "--width", "384", "--depth", "3", "--table", "37", "--out",
          folder.path,
        ])
      try #require(made.code == 0, "\(made.errors)")
      return folder.file("weights.safetensors")
    }

    private func numbers(_ text: String) throws -> [String: Double] {
      let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      return object.compactMapValues { $0 as? Double }
    }

    @Test(
      "FID, sFID, IS, FDD, precision and recall of a random network are those of PyTorch's features",
      arguments: [("inception", "inception"), ("dinov2", "dinov2-s")])
    func equalsTorch(network: String, name: String) throws {
      let (samples, reference) = (try write("a.npz", 14, spread: 80), try write("b.npz", 18, spread: 60))
      let weights = try weights(network)
      let outcome = try SprintCommand(
        SprintCommand.sprint,
        ["evaluate", samples, "--reference", reference, "--network", "\(name)=\(weights)", "--json"], in: folder
      ).wait(120)
      try #require(outcome.code == 0, "\(outcome)")
      let found = try numbers(outcome.output)
      let torch = try Python.run(["Tests/Reference/evaluation_torch.py", network, weights, samples, reference])
      try #require(torch.code == 0, "\(torch.errors)")
      for (key, expected) in try numbers(torch.output) {
        let error = abs((found[key] ?? .nan) - expected) / max(abs(expected), 1e-9)
        print("\(network) \(key): \(expected), relative difference \(error)")
        #expect(error < 1e-4, "\(key): \(found[key] ?? .nan) against \(expected)")
      }
    }
  }
}

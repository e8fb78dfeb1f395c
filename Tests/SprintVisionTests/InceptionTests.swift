import Foundation
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

@Suite struct InceptionTests {
  private static let scripts = (#filePath as NSString).deletingLastPathComponent + "/../Reference"
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.file("weights.safetensors") }

  /// A picture of 299 x 299 pixels, which needs no resizing.
  private func picture(_ random: inout Randomness) -> Picture {
    let pixels = random.normal(299 * 299 * 3, deviation: 60).map { UInt8(min(max($0 + 128, 0), 255)) }
    return Picture(width: 299, height: 299, pixels: pixels)
  }

  private func image(_ picture: Picture) -> NaiveInception.Map {
    let planes = (0..<3).map { channel in
      (0..<299 * 299).map { (Double(picture.pixels[3 * $0 + channel]) - 128) / 128 }
    }
    return NaiveInception.Map(height: 299, width: 299, planes: planes)
  }

  @Test("all features of a narrow network are those of a plain statement in float64")
  func equalsNaive() throws {
    var random = Randomness()
    let picture = picture(&random)
    var naive = NaiveInception(random)
    let expected = naive.run(image(picture))
    try writeTensors(naive.tensors, to: path)
    let network = try Inception(path: path)
    let found = network.features(of: [picture], Workers(2))
    // What the layers' rounding may add up to; the draws of one seed in some dozens reach 2.2e-6.
    #expect(largestError(found.pooled[0], expected.pooled.map(Float.init)) < 5e-6)
    #expect(largestError(found.spatial?[0] ?? [], expected.spatial.map(Float.init)) < 5e-6)
    #expect(largestError(found.logits?[0] ?? [], expected.logits.map(Float.init)) < 5e-6)
    #expect(network.name == "inception")
    #expect(network.fingerprint == (try Fingerprint(of: path).sha256))

    // Any extents, alone and among others, with any number of workers.
    let others = [picture, Picture(width: 20, height: 31, fill: 9), picture]
    for workers in 1...3 {
      let again = network.features(of: others, Workers(workers))
      #expect(again.pooled.count == 3 && again.pooled[0] == found.pooled[0] && again.pooled[2] == found.pooled[0])
      #expect(again.pooled[1] == network.features(of: [others[1]], Workers(1)).pooled[0])
      #expect(again.spatial?[2] == found.spatial?[0])
      #expect(again.logits?[0] == found.logits?[0])
    }
  }

  @Test("a file that lacks a tensor, is cut off, or is of another network is refused with the reason")
  func unusable() throws {
    var naive = NaiveInception(Randomness())
    // The least extents that leave a pixel at the end; they have no influence on the weights.
    _ = naive.run(
      NaiveInception.Map(height: 75, width: 75, planes: .init(repeating: .init(repeating: 0, count: 75 * 75), count: 3))
    )
    func problem(_ change: (inout (name: String, shape: [Int], values: [Float])) -> Bool) throws -> String {
      let tensors = naive.tensors.compactMap { tensor in
        var tensor = tensor
        return change(&tensor) ? tensor : nil
      }
      try writeTensors(tensors, to: path)
      return try #require(throws: FileError.self) { try Inception(path: path) }.description
    }
    for name in ["Conv2d_1a_3x3.conv.weight", "Mixed_6c.branch7x7dbl_4.bn.running_var", "fc.weight"] {
      #expect(try problem { $0.name != name }.contains("there is no tensor `\(name)`"))
    }
    let turned = try problem { tensor in
      if tensor.name == "Mixed_7c.branch3x3_2a.conv.weight" { tensor.shape.swapAt(2, 3) }
      return true
    }
    #expect(turned.contains("`Mixed_7c.branch3x3_2a.conv.weight` is") && turned.contains(", 1, 3]"))
    let torchvision = try problem { tensor in
      guard tensor.name == "fc.weight" else { return true }
      tensor.shape[0] = 1000
      tensor.values.removeLast(8 * tensor.shape[1])
      return true
    }
    #expect(torchvision.contains("not by torchvision's own"))
    try writeTensors(naive.tensors, to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(whole.count - 8).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try Inception(path: path) }
  }

  @Test(
    "the features are those of torchvision's network with pytorch-fid's blocks",
    .enabled(if: Python.has("torch", "torchvision"), Comment(rawValue: Python.lacks("torchvision"))))
  func equalsTorch() throws {
    let result = try Python.run(["\(Self.scripts)/inception_reference.py", "--out", folder.path])
    try #require(result.code == 0, "\(result.errors)")
    let expected = try SafetensorsFile(path: folder.file("expected.safetensors"))
    let picture = Picture(width: 299, height: 299, pixels: try expected.bytes("picture"))
    let found = try Inception(path: path).features(of: [picture], Workers(2))
    for (name, values) in [
      ("pooled", found.pooled[0]), ("spatial", found.spatial?[0] ?? []), ("logits", found.logits?[0] ?? []),
    ] {
      let error = largestError(values, try expected.floats(name))
      print("\(name): \(error)")
      #expect(error < 2e-5, "\(name)")
    }
  }
}

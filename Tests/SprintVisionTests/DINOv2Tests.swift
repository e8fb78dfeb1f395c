import Foundation
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

@Suite struct DINOv2Tests {
  private static let (grid, patch) = (3, 4)
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ network: NaiveDINOv2, _ rename: (String) -> String? = { $0 }) throws -> String {
    let path = folder.file("weights.safetensors")
    try writeTensors(
      network.written.compactMap { tensor in rename(tensor.name).map { ($0, tensor.shape, tensor.values) } }, to: path)
    return path
  }

  private func tiny(_ random: inout Randomness) -> NaiveDINOv2 {
    NaiveDINOv2(width: 128, depth: 3, hidden: 96, grid: Self.grid, patch: Self.patch, &random)
  }

  /// The pixels of each patch of an image [3, side, side].
  private func patches(_ image: [Float]) -> NaiveMatrix {
    let (patch, side) = (Self.patch, Self.grid * Self.patch)
    return NaiveMatrix(rows: Self.grid * Self.grid, columns: 3 * patch * patch) { token, place in
      let (channel, y, x) = (place / (patch * patch), place / patch % patch, place % patch)
      let row = token / Self.grid * patch + y
      return Double(image[(channel * side + row) * side + token % Self.grid * patch + x])
    }
  }

  @Test("class token, patch tokens and attention are those of a plain statement in float64")
  func equalsNaive() throws {
    var random = Randomness()
    let naive = tiny(&random)
    let side = Self.grid * Self.patch
    let network = try DINOv2Network(path: write(naive), side: side)
    let images = (0..<3).map { _ in random.normal(3 * side * side) }
    let outputs = network.outputs(of: 3, attentionBlocks: 2, Workers(2)) { images[$0] }
    for (image, output) in zip(images, outputs) {
      let (tokens, attention) = naive.run(patches: patches(image))
      #expect(largestError(output.classToken, tokens.row(0).map(Float.init)) < 2e-6)
      let others = tokens.rows(1..<tokens.rows).values.map(Float.init)
      #expect(largestError(output.patchTokens, others) < 2e-6)
      let maps = attention[1...].joined().flatMap {
        $0.rows(1..<$0.rows).columns(1..<$0.columns).values.map(Float.init)
      }
      #expect(largestError(output.attention, maps) < 2e-6)
    }
  }

  @Test("an image has the same bits alone, among others, and with any number of workers", arguments: [1, 2, 3])
  func sameBits(workers: Int) throws {
    var random = Randomness()
    let side = Self.grid * Self.patch
    let network = try DINOv2Network(path: write(tiny(&random)), side: side)
    let images = (0..<5).map { _ in random.normal(3 * side * side) }
    let together = network.outputs(of: 5, attentionBlocks: 3, Workers(workers)) { images[$0] }
    for (image, output) in zip(images, together) {
      let alone = network.outputs(of: 1, attentionBlocks: 3, Workers(1)) { _ in image }[0]
      #expect(output.classToken == alone.classToken)
      #expect(output.patchTokens == alone.patchTokens)
      #expect(output.attention == alone.attention)
    }
  }

  @Test("blocks in chunks are found under their two numbers")
  func chunks() throws {
    var random = Randomness()
    let naive = tiny(&random)
    let side = Self.grid * Self.patch
    let image = random.normal(3 * side * side)
    func token(_ path: String) throws -> [Float] {
      try DINOv2Network(path: path, side: side).outputs(of: 1, Workers(1)) { _ in image }[0].classToken
    }
    let plain = try token(write(naive))
    let chunked = try write(naive) {
      $0.replacing(/^blocks\.2/, with: "blocks.1.2").replacing(/^blocks\.([01])\.(?=[^.]*[a-z])/) {
        "blocks.0.\($0.1)."
      }
    }
    #expect(try token(chunked) == plain)
  }

  @Test(
    "a file without a tensor is refused by that tensor's name",
    arguments: ["cls_token", "pos_embed", "blocks.1.ls2.gamma", "blocks.2.attn.qkv.bias", "norm.weight"])
  func missing(name: String) throws {
    var random = Randomness()
    let path = try write(tiny(&random)) { $0 == name ? nil : $0 }
    let error = try #require(throws: FileError.self) { try DINOv2Network(path: path, side: 12) }
    #expect(error.description.contains("`\(name)`"))
  }

  @Test(
    "a tensor of another shape is refused by name, before memory is taken",
    arguments: ["blocks.1.mlp.fc2.weight", "pos_embed", "patch_embed.proj.weight", "blocks.0.ls1.gamma"])
  func otherShape(name: String) throws {
    var random = Randomness()
    let naive = tiny(&random)
    let path = folder.file("weights.safetensors")
    try writeTensors(
      naive.written.map { $0.name == name ? (name, [7], [Float](repeating: 0, count: 7)) : $0 }, to: path)
    let error = try #require(throws: FileError.self) { try DINOv2Network(path: path, side: 12) }
    #expect(error.description.contains("`\(name)` is [7], expected"))
  }

  @Test("a truncated file, a file of another network and an image between patches are refused")
  func unusable() throws {
    var random = Randomness()
    let path = try write(tiny(&random))
    let odd = try #require(throws: FileError.self) { try DINOv2Network(path: path, side: 14) }
    #expect(odd.description.contains("a multiple of its patches of 4 pixels, not 14"))
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(whole.count - 100).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try DINOv2Network(path: path, side: 12) }
    try writeTensors([("conv1.weight", [2], [1, 2])], to: path)
    let foreign = try #require(throws: FileError.self) { try DINOv2Network(path: path, side: 12) }
    #expect(foreign.description.contains("expected the weights of DINOv2"))
  }

  @Test("the evaluated class token is that of the picture resized to 224 pixels; its name tells size and file")
  func evaluation() throws {
    var random = Randomness()
    let naive = NaiveDINOv2(width: 64, depth: 1, hidden: 32, grid: 2, patch: 56, &random)
    let path = folder.file("weights.safetensors")
    try writeTensors(naive.written, to: path)
    let evaluated = try DINOv2(path: path)
    #expect(evaluated.name == "dinov2")
    #expect(evaluated.fingerprint == (try Fingerprint(of: path).sha256))
    var picture = Picture(width: 50, height: 40)
    for x in 0..<50 { picture[x, x % 40] = (UInt8(x), UInt8(255 - x), 7) }
    let resized = DINOv2Input.forEvaluation(resized: picture.resizedBicubic(width: 224, height: 224))
    let expected = evaluated.network.outputs(of: 1, Workers(1)) { _ in resized }[0].classToken
    #expect(evaluated.features(of: [picture], Workers(2)).pooled == [expected])
  }
}

import Foundation
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

@Suite struct DINOv2ReferenceTests {
  private static let scripts = (#filePath as NSString).deletingLastPathComponent + "/../Reference"
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What `dinov2_reference.py network` is asked for, and how positions are resized there.
  struct Case: CustomTestStringConvertible, Sendable {
    let options: String
    var resizing = PositionResizing.published
    var side = 56
    var testDescription: String { options }
  }

  @Test(
    "the numbers are those of DINOv2's own code, timm and transformers",
    .enabled(if: Python.has("torch", "timm", "transformers"), Comment(rawValue: Python.lacks("torch"))),
    arguments: [
      Case(options: "--source published --table 37 --width 384 --depth 4 --side 224", side: 224),
      Case(options: "--source published --depth 4 --chunks 2 --antialiased", resizing: .antialiased),
      Case(options: "--source published --registers 4 --stored bfloat16"),
      Case(options: "--source timm --table 7 --antialiased --stored float16", resizing: .antialiased),
      Case(options: "--source transformers --table 4"),
      Case(options: "--source transformers --table 4 --registers 3"),
    ])
  func equalsReference(_ item: Case) throws {
    let options = item.options.split(separator: " ").map(String.init)
    let result = try Python.run(
      ["\(Self.scripts)/dinov2_reference.py", "network", "--side", "\(item.side)", "--out", folder.path] + options)
    try #require(result.code == 0, "\(result.errors)")
    let network = try DINOv2Network(
      path: folder.file("weights.safetensors"), side: item.side, positions: item.resizing)
    let expected = try SafetensorsFile(path: folder.file("expected.safetensors"))
    let image = try expected.floats("image")
    let output = network.outputs(of: 1, attentionBlocks: network.depth, Workers(2)) { _ in image }[0]
    for (name, found) in [
      ("class_token", output.classToken), ("patch_tokens", output.patchTokens), ("attention", output.attention),
    ] {
      let error = largestError(found, try expected.floats(name))
      print("\(item.options): \(name) \(error)")
      #expect(error < 2e-5, "\(name)")
    }
  }

  private func inputs() throws -> SafetensorsFile {
    try SafetensorsFile(path: "\(Self.scripts)/cases-vision/dinov2-inputs.safetensors")
  }

  @Test(
    "positions are resized as DINOv2's code and as timm resize them", arguments: [(4, 3), (4, 7), (37, 16), (16, 37)])
  func positions(side: Int, grid: Int) throws {
    let file = try inputs()
    let table = try file.floats("table.\(side).\(grid)")
    let channels = table.count / (side * side)
    for (name, resizing) in [("published", PositionResizing.published), ("antialiased", .antialiased)] {
      let axis = BicubicResampling(positionsFrom: side, to: grid, resizing)
      let found = table.withUnsafeBufferPointer { axis.resample($0, channels: channels) }
      #expect(largestError(found, try file.floats("\(name).\(side).\(grid)")) < 2e-6, "\(name)")
    }
  }

  @Test("a picture becomes what REPA shows its teacher")
  func pictures() throws {
    let file = try inputs()
    let picture = Picture(width: 32, height: 32, pixels: try file.bytes("picture"))
    #expect(largestError(DINOv2Input.forAlignment(picture, side: 28), try file.floats("aligned")) < 2e-6)
    #expect(DINOv2Input.forAlignment(picture, side: 32) == DINOv2Input.forEvaluation(resized: picture))
    #expect(largestError(DINOv2Input.forEvaluation(resized: picture), try file.floats("normalized")) < 1e-6)
    #expect([256, 512, 64].map(DINOv2Input.alignmentSide) == [224, 448, 224])
  }
}

import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintImport
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

/// Pictures that a teacher sees while they are imported.
@Suite struct TeacherImportTests {
  private let folder: TemporaryFolder
  /// The most samples of a piece, and a few of a second one.
  private static let (piece, count) = (64, 67)
  private static let (side, tokens) = (8, 2)

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("pictures"), withIntermediateDirectories: true)
    for index in 0..<Self.count {
      try Self.picture(index).writePNG(to: folder.file(String(format: "pictures/%02d.png", index)))
    }
    var random = Randomness()
    try writeTensors(
      NaiveDINOv2(width: 64, depth: 5, hidden: 32, grid: 3, patch: 14, &random).written, to: weights)
  }

  private var weights: String { folder.file("weights.safetensors") }

  private static func picture(_ index: Int) -> Picture {
    var picture = Picture(width: side, height: side)
    for y in 0..<side {
      for x in 0..<side { picture[x, y] = (UInt8(30 * x + y), UInt8(3 * index + x), UInt8(7 * y)) }
    }
    return picture
  }

  private func options(_ change: (inout LatentImport.Options) -> Void = { _ in }) throws -> LatentImport.Options {
    var options = LatentImport.Options()
    (options.images.side, options.images.tokens, options.images.flips) = (Self.side, Self.tokens, true)
    options.teachers = try teachers(weights)
    change(&options)
    return options
  }

  private func teachers(_ weights: String) throws -> [TeacherRequest] {
    try TeacherRequest.all(features: ["dino=\(weights)"], attention: ["dino=\(weights)"])
  }

  @discardableResult
  private func run(
    _ out: String, _ options: LatentImport.Options, _ communicator: Communicator = .single(), workers: Int = 2,
    stopRequested: () -> Bool = { false }
  ) throws -> LatentImport.Summary? {
    try LatentImport(folder.file("pictures"), to: folder.file(out), options)
      .run(communicator, Workers(workers), stopRequested: stopRequested, report: { _, _ in })
  }

  private func floats(_ name: String, _ out: String) throws -> [Float] {
    let file = try HDF5File(reading: folder.file(out))
    var values = [Float](repeating: 0, count: try file.describe(name).shape.reduce(1, *))
    try values.withUnsafeMutableBufferPointer { try file.floats(name, into: $0) }
    return values
  }

  private func bytes(_ out: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(out))) }

  /// What the network itself says of the pictures, or of the mirrored ones.
  private func expected(mirrored: Bool) throws -> [DINOv2Output] {
    let network = try DINOv2Network(path: weights, grid: Self.tokens, positions: .antialiased)
    return network.outputs(of: Self.count, attentionBlocks: 4, Workers(2)) { index in
      let picture = Self.picture(index)
      var seen = picture
      for y in 0..<Self.side {
        for x in 0..<Self.side where mirrored { seen[x, y] = picture[Self.side - 1 - x, y] }
      }
      return DINOv2Input.forAlignment(seen, side: network.side)
    }
  }

  /// If this fails, networks are aligned with something else than what the teacher says of their images.
  @Test(
    "Features, class token and attention of each picture and of its mirrored image are those of the network",
    arguments: [false, true])
  func stored(isHalf: Bool) throws {
    let summary = try #require(try run("a.h5", options { $0.isHalf = isHalf }))
    let groups = ["features", "class_tokens", "attention"]
    #expect(summary.teachers == groups.map { "/\($0)/dino" } + groups.map { "/\($0)_flip/dino" })
    #expect(!summary.hasFlipped)
    func rounded(_ values: [Float]) -> [Float] { isHalf ? values.map { Float(Float16($0)) } : values }
    let file = try HDF5File(reading: folder.file("a.h5"))
    for (mirrored, ending) in [(false, ""), (true, "_flip")] {
      let outputs = try expected(mirrored: mirrored)
      for (group, shape, values) in [
        ("features", [4, 64], rounded(outputs.flatMap(\.patchTokens))),
        ("class_tokens", [64], outputs.flatMap(\.classToken)),
        ("attention", [4, 1, 4, 4], rounded(outputs.flatMap(\.attention))),
      ] {
        let name = "/\(group)\(ending)/dino"
        #expect(try file.describe(name).shape == [Self.count] + shape)
        let isSame = try floats(name, "a.h5") == values
        #expect(isSame, "\(name)")
        #expect(try file.text("sha256", of: name) == Fingerprint(of: weights).sha256)
      }
    }
  }

  @Test("What an import stores is what batches come with, mirrored images too")
  func delivered() throws {
    try run("a.h5", options())
    let names = TeacherNames(features: "dino", classTokens: "dino", attention: "dino")
    let dataset = try LatentDataset(paths: [folder.file("a.h5")], flips: true, teacher: names)
    #expect(dataset.featureShape ?? (0, 0) == (4, 64) && dataset.classTokenWidth == 64)
    #expect(dataset.attentionShape.map { [$0.layers, $0.heads, $0.tokens] } == [4, 1, 4])
    let (random, order) = (LatentRandomness(seed: 3), SampleOrder(count: Self.count, seed: 5))
    let request = AttentionRequest(
      AttentionLayout(heads: 1, tokens: [4, 4, 4, 4]), isKept: [false, false, false, false], kept: 4
    ) { _, ids in for i in ids.indices { ids[i] = Int32(i) } }
    let reader = BatchReader(
      dataset, order: order, randomness: random, batch: Self.count, firstDraw: 0, attention: request)
    defer { reader.close() }
    let batch = try reader.next()
    let outputs = [try expected(mirrored: false), try expected(mirrored: true)]
    for b in 0..<Self.count {
      let isMirrored = dataset.isMirrored(random, draw: UInt64(b))
      let output = outputs[isMirrored ? 1 : 0][order.sample(draw: UInt64(b))]
      #expect(batch.classTokens?.vector(b).array == output.classToken)
      #expect(
        batch.features?.rows(4 * b..<4 * b + 4).flattened.array == output.patchTokens.map { Float(Float16($0)) })
      let rows = stride(from: 0, to: 64, by: 4).flatMap { first -> [Float] in
        let row = output.attention[first..<first + 4]
        return row.map { $0 / row.reduce(0, +) }
      }
      #expect(largestError(try #require(batch.attention?.vector(b).array), rows) < 2e-3)
    }
  }

  @Test("Any number of ranks and workers, and an import that was stopped in between, make the same bytes")
  func sameBytes() throws {
    try run("a.h5", options())
    let expected = try bytes("a.h5")
    for ranks in [2, 3] {
      _ = try Ranks.run(ranks) { try self.run("ranks\(ranks).h5", self.options(), $0, workers: 4 - ranks) }
      #expect(try bytes("ranks\(ranks).h5") == expected, "\(ranks) ranks")
    }
    #expect(try run("b.h5", options(), stopRequested: { true }) == nil)
    #expect(FileManager.default.fileExists(atPath: folder.file("b.h5.partial")))
    // The weights may lie elsewhere meanwhile.
    let moved = try teachers(folder.file("moved.safetensors"))
    try FileManager.default.moveItem(atPath: weights, toPath: moved[0].path)
    try run("b.h5", options { $0.teachers = moved })
    #expect(try bytes("b.h5") == expected)
  }

  @Test(
    "A picture of 256 pixels gives the numbers of REPA's preprocessing and of DINOv2's own code in PyTorch",
    .enabled(if: Python.has("torch", "safetensors"), Comment(rawValue: Python.lacks("torch"))))
  func equalsReference() throws {
    let script = (#filePath as NSString).deletingLastPathComponent + "/../Reference/dinov2_reference.py"
    let made = try Python.run([
      script, "network", "--width", "128", "--depth", "5", "--table", "37", "--side", "224", "--resolution", "256",
      "--antialiased", "--out", folder.path,
    ])
    try #require(made.code == 0, "\(made.errors)")
    let reference = try SafetensorsFile(path: folder.file("expected.safetensors"))
    try FileManager.default.removeItem(atPath: folder.file("pictures"))
    try FileManager.default.createDirectory(atPath: folder.file("pictures"), withIntermediateDirectories: true)
    try Picture(width: 256, height: 256, pixels: reference.bytes("picture")).writePNG(to: folder.file("pictures/0.png"))
    try run(
      "a.h5", options { ($0.images.side, $0.images.tokens, $0.images.flips, $0.isHalf) = (256, nil, false, false) })
    let attention = try reference.floats("attention")
    for (group, expected) in [
      ("features", try reference.floats("patch_tokens")), ("class_tokens", try reference.floats("class_token")),
      ("attention", Array(attention.suffix(attention.count / 5 * 4))),
    ] {
      let error = largestError(try floats("/\(group)/dino", "a.h5"), expected)
      print("\(group): \(error)")
      #expect(error < 2e-5, "\(group)")
    }
  }

  @Test("A picture that cannot be read leaves no trace of what the teacher says")
  func broken() throws {
    try Data("GIF89a".utf8).write(to: URL(fileURLWithPath: folder.file("pictures/03.png")))
    let summary = try #require(try run("a.h5", options { $0.skipsBroken = true }))
    #expect(summary.samples == Self.count - 1 && summary.leftOut == 1)
    let others = try expected(mirrored: true).enumerated().filter { $0.offset != 3 }.flatMap(\.element.classToken)
    let isSame = try floats("/class_tokens_flip/dino", "a.h5") == others
    #expect(isSame)
  }

  private func expect(_ words: String, _ change: (inout LatentImport.Options) -> Void) {
    #expect { try run("a.h5", options(change)) } throws: { "\($0)".contains(words) && !"\($0)".contains("\n") }
  }

  @Test("A teacher that does not fit is an error that says what does")
  func refusals() throws {
    expect("a side of 384 pixels; a teacher sees 16 x 16 tokens of sides up to 256") {
      ($0.images.side, $0.images.tokens) = (384, nil)
    }
    expect("holds latents, no pictures") { $0.layout = ImportLayout.all.first { $0.name == "mar" } }
    var random = Randomness()
    let path = folder.file("wide.safetensors")
    try writeTensors(NaiveDINOv2(width: 384, depth: 2, hidden: 8, grid: 2, patch: 14, &random).written, to: path)
    for (name, words) in [
      ("dinov2-b", "holds DINOv2 of size s, not b; name it dinov2-s"),
      ("dinov2-s", "has 2 blocks, expected at least 4"),
    ] {
      let requests = try TeacherRequest.all(features: [], attention: ["\(name)=\(path)"])
      expect(words) { $0.teachers = requests }
    }
  }

  @Test(
    "Teachers are names and paths; a name stands for one of them",
    arguments: [
      (["dino"], [], "expected NAME=WEIGHTS"), (["=w"], [], "expected NAME=WEIGHTS"),
      (["a/b=w"], [], "expected NAME=WEIGHTS"), (["a=v", "a=w"], [], "stands for v and for w"),
      (["a=v"], ["a=w"], "stands for v and for w"), (["a=v", "a=v"], [], "is given twice"),
    ])
  func requests(features: [String], attention: [String], words: String) throws {
    #expect { try TeacherRequest.all(features: features, attention: attention) } throws: { "\($0)".contains(words) }
    let both = try TeacherRequest.all(features: ["a=x=y", "b=w"], attention: ["a=x=y"])
    #expect(both.map(\.path) == ["x=y", "w"] && both.map(\.hasAttention) == [true, false])
  }
}

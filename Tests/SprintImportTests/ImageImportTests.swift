import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintImport
import SprintKernels
import SprintTestSupport
import Testing

/// The mean of red in blocks of 4 x 4 pixels as the mean, the distance of green from -1 as the deviation.
private struct BlockMeans: ImageEncoder {
  let latentChannels = 1
  let downscale = 4
  let fingerprint = "0123456789abcdef0123456789abcdef"

  func encode(
    _ images: UnsafeBufferPointer<Float>, side: Int, into moments: UnsafeMutableBufferPointer<Float>, _ workers: Workers
  ) {
    let (area, blocks) = (side * side, side / 4)
    for image in 0..<images.count / (3 * area) {
      for block in 0..<blocks * blocks {
        let places = (0..<16).map { (block / blocks * 4 + $0 / 4) * side + block % blocks * 4 + $0 % 4 }
        let start = 3 * area * image
        moments[2 * blocks * blocks * image + block] = places.reduce(0) { $0 + images[start + $1] } / 16
        moments[2 * blocks * blocks * image + blocks * blocks + block] =
          places.reduce(0) { $0 + images[start + area + $1] + 1 } / 16
      }
    }
  }
}

@Suite struct ImageImportTests {
  private let folder: TemporaryFolder
  private static let side = 8
  private static let names = ["ant/0.png", "ant/1.png", "bee/deep/0.png", "bee/z.jpg", "cat/0.png"]

  /// Three classes of pictures, one of them in a folder below, one with the wrong ending, and clutter.
  init() throws {
    folder = try TemporaryFolder()
    for (index, name) in Self.names.enumerated() {
      try write(Self.picture(index), name)
    }
    try write(Self.picture(9), "ant/._0.png")
    try Data("words".utf8).write(to: URL(fileURLWithPath: folder.file("pictures/cat/notes.txt")))
    try FileManager.default.createDirectory(
      atPath: folder.file("pictures/dog"), withIntermediateDirectories: true)
  }

  /// A picture of 8 x 16 pixels whose red grows to the right.
  private static func picture(_ index: Int) -> Picture {
    var picture = Picture(width: 2 * side, height: side)
    for y in 0..<side {
      for x in 0..<2 * side { picture[x, y] = (UInt8(10 * x + y), UInt8(20 * index + x), UInt8(7 * y)) }
    }
    return picture
  }

  private func write(_ picture: Picture, _ name: String) throws {
    let path = folder.file("pictures/\(name)")
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try picture.writePNG(to: path)
  }

  private func options(_ change: (inout LatentImport.Options) -> Void = { _ in }) -> LatentImport.Options {
    var options = LatentImport.Options()
    options.images.side = Self.side
    options.isHalf = false
    change(&options)
    return options
  }

  private func encoding(_ options: inout LatentImport.Options) {
    options.encoder = NamedEncoder(BlockMeans(), path: "weights/sd-vae-ft-mse.safetensors")
    options.images.flips = true
  }

  @discardableResult
  private func run(
    _ out: String, _ options: LatentImport.Options, _ communicator: Communicator = .single(),
    note: (String) -> Void = { _ in }
  ) throws -> LatentImport.Summary? {
    try LatentImport(folder.file("pictures"), to: folder.file(out), options)
      .run(communicator, Workers(2), stopRequested: { false }, report: { _, _ in }, note: note)
  }

  private func floats(_ name: String, _ out: String) throws -> [Float] {
    let file = try HDF5File(reading: folder.file(out))
    var values = [Float](repeating: 0, count: try file.describe(name).shape.reduce(1, *))
    try values.withUnsafeMutableBufferPointer { try file.floats(name, into: $0) }
    return values
  }

  /// byte / 127.5 - 1 of the square in the middle, as planes.
  private static func planes(_ index: Int) -> [Float] {
    let picture = picture(index)
    return (0..<3).flatMap { channel in
      (0..<side * side).map { place in
        let (red, green, blue) = picture[side / 2 + place % side, place / side]
        return Float([red, green, blue][channel]) / 127.5 - 1
      }
    }
  }

  @Test("Pictures become planes of pixels; folders become classes, whose names are kept")
  func pixels() throws {
    var notes: [String] = []
    let summary = try #require(try run("a.h5", options()) { notes.append($0) })
    #expect(summary.layout == "images" && summary.kind == "pixels" && summary.samples == 5 && !summary.hasMoments)
    let expected = Self.names.indices.flatMap(Self.planes)
    let isSame = try floats("/latents", "a.h5") == expected
    #expect(isSame)
    let file = try HDF5File(reading: folder.file("a.h5"))
    #expect(try file.integers("/labels") == [0, 0, 1, 1, 2])
    #expect(try file.texts(dataset: "/class_names") == ["ant", "bee", "cat"])
    let dataset = try LatentDataset(paths: [folder.file("a.h5")])
    #expect(dataset.properties.kind == "pixels" && dataset.properties.scale == [1, 1, 1] && dataset.unread.isEmpty)
    #expect(notes.contains { $0.contains("`ant/._0.png`") } && notes.contains { $0.contains("`cat/notes.txt`") })
  }

  @Test("An encoder gets the images and the mirrored ones, and any number of ranks makes the same bytes")
  func encoded() throws {
    try run("a.h5", options(encoding))
    let (moments, flipped) = (try floats("/moments", "a.h5"), try floats("/moments_flip", "a.h5"))
    #expect(moments.count == 5 * 2 * 2 * 2)
    let properties = try LatentDataset(paths: [folder.file("a.h5")]).properties
    #expect(properties.scale == [0.18215] && properties.vae == "sd-vae-ft-mse (SHA-256 0123456789abcdef)")
    for (index, name) in Self.names.enumerated() {
      let planes = Self.planes(index)
      var expected = [Float](repeating: 0, count: 8)
      planes.withUnsafeBufferPointer { planes in
        expected.withUnsafeMutableBufferPointer { BlockMeans().encode(planes, side: 8, into: $0, Workers(1)) }
      }
      #expect(Array(moments[8 * index..<8 * index + 8]) == expected, "\(name)")
      // Blocks change places from left to right; the order in which their pixels are added up changes the rounding.
      let mirrored = [1, 0, 3, 2, 5, 4, 7, 6].map { expected[$0] }
      let error = zip(flipped[8 * index..<8 * index + 8], mirrored).map { abs($0 - $1) }.max() ?? 1
      #expect(error < 1e-6, "\(name)")
    }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.h5")))
    for ranks in [2, 3] {
      let out = "ranks\(ranks).h5"
      _ = try Ranks.run(ranks) { try self.run(out, self.options(self.encoding), $0) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file(out))) == bytes, "\(ranks) ranks")
    }
  }

  /// If this fails, a signal waits for minutes, and the progress bar stands still.
  @Test(
    "An import that encodes looks for a stop after some pictures, not after a piece; the next one makes the same bytes")
  func stopping() throws {
    try run("whole.h5", options(encoding))
    var reports: [Int] = []
    let importer = try LatentImport(folder.file("pictures"), to: folder.file("a.h5"), options(encoding))
    let summary = try importer.run(
      .single(), Workers(1), stopRequested: { true }, report: { done, _ in reports.append(done) })
    // All five pictures are in one piece, a worker takes two of them at a time.
    #expect(summary == nil && reports.contains(2) && !reports.contains(5), "\(reports)")
    #expect(try run("a.h5", options(encoding))?.samples == 5)
    let bytes = try ["a.h5", "whole.h5"].map { try Data(contentsOf: URL(fileURLWithPath: folder.file($0))) }
    #expect(bytes[0] == bytes[1])
  }

  @Test("Broken pictures are all named, or left out", arguments: [false, true])
  func broken(isEncoded: Bool) throws {
    let cut = try Self.picture(1).png.dropLast(30)
    try cut.write(to: URL(fileURLWithPath: folder.file("pictures/ant/1.png")))
    try Data("GIF89a".utf8).write(to: URL(fileURLWithPath: folder.file("pictures/cat/0.png")))
    var options = options { if isEncoded { encoding(&$0) } }
    var notes: [String] = []
    #expect { try run("a.h5", options) { notes.append($0) } } throws: { "\($0)".contains("2 of 5 samples") }
    #expect(notes.contains { $0.contains("ant/1.png") && $0.contains("broken PNG") })
    #expect(notes.contains { $0.contains("cat/0.png") && $0.contains("GIF") })
    options.skipsBroken = true
    let summary = try #require(try run("a.h5", options))
    #expect(summary.samples == 3 && summary.leftOut == 2)
    #expect(try HDF5File(reading: folder.file("a.h5")).integers("/labels") == [0, 1, 1])
    if !isEncoded {
      let isSame = try floats("/latents", "a.h5") == [0, 2, 3].flatMap(Self.planes)
      #expect(isSame)
    }
  }

  @Test(
    "A folder of pictures is recognised; one without folders has class 0; loose pictures beside folders are an error"
  )
  func classes() throws {
    #expect(try ImportLayout.detect(folder.file("pictures")).name == "images")
    try write(Self.picture(5), "loose.png")
    #expect { try run("a.h5", options()) } throws: { "\($0)".contains("`loose.png` beside `ant`") }
    for name in ["ant", "bee", "cat"] { try FileManager.default.removeItem(atPath: folder.file("pictures/\(name)")) }
    try run("a.h5", options())
    let file = try HDF5File(reading: folder.file("a.h5"))
    #expect(try file.integers("/labels") == [0] && !file.has("/class_names"))
  }

  private func expect(_ remedy: ImportRemedy, _ change: (inout LatentImport.Options) -> Void) {
    #expect { try run("a.h5", options(change)) } throws: { ($0 as? FileError)?.remedy as? ImportRemedy == remedy }
  }

  @Test("What an option has to settle is an error that names it")
  func remedies() {
    expect(.nameSide) { $0.images.side = nil }
    expect(.leaveOutScale) { $0.multiplier = 2 }
    expect(.leaveOutFlip) { $0.images.flips = true }
    expect(.nameSide) {
      encoding(&$0)
      $0.images.side = 6
    }
    expect(.nameAutoencoder) { $0.encoder = NamedEncoder(BlockMeans(), path: "weights/mine.safetensors") }
    expect(.leaveOutImageOptions) { $0.layout = ImportLayout.all.first { $0.name == "mar" } }
  }
}

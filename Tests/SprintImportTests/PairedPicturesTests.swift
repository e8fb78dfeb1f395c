import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintImport
import SprintKernels
import SprintTestSupport
import Testing

/// A layout of latents beside their pictures, with latents of 16 x 16 pixels.
struct PicturedLayout: Sendable, CustomStringConvertible {
  let name, folder, prefix: String
  let extents: [Int]

  static let speedrunDiT = PicturedLayout(
    name: "speedrun-dit", folder: "vae-in", prefix: "img-latents-", extents: [1, 32, 1, 1])
  static let repa = PicturedLayout(name: "repa", folder: "vae-sd", prefix: "img-mean-std-", extents: [8, 2, 2])
  static let edm2 = PicturedLayout(name: "edm2", folder: "vae-sd", prefix: "img-mean-std-", extents: [8, 2, 2])
  static let all = [speedrunDiT, repa, edm2]

  var description: String { name }

  /// The numbers of a sample, all of them one.
  func value(_ index: Int) -> Float { Float(index) + 0.5 }

  func file(_ index: Int) -> String { String(format: "00000/\(prefix)%08d.npy", index) }

  /// An npy file of a sample.
  func array(_ index: Int) -> Data {
    npyFile([Float](repeating: value(index), count: extents.reduce(1, *)), extents)
  }
}

/// Latents beside the pictures that they were made of, at which a teacher looks.
@Suite struct PairedPicturesTests {
  private let folder: TemporaryFolder
  /// The most samples of a piece, and a few of a second one.
  private static let (piece, count) = (64, 67)
  private static let side = 16
  private static let groups = ["features", "class_tokens", "attention"].map { "/\($0)/dino" }

  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<Self.count { try write(Self.picture(index), Self.name(index)) }
    try writeTable("images") { Self.name($0) }
    var random = Randomness()
    try writeTensors(
      NaiveDINOv2(width: 64, depth: 4, hidden: 32, grid: 3, patch: 14, &random).written,
      to: folder.file("weights.safetensors"))
  }

  private static func name(_ index: Int) -> String { String(format: "00000/img%08d.png", index) }

  private func path(_ picture: String) -> String { folder.file("data/images/\(picture)") }

  private static func picture(_ index: Int, side: Int = side) -> Picture {
    var picture = Picture(width: side, height: side)
    for y in 0..<side {
      for x in 0..<side {
        picture[x, y] = (UInt8((15 * x + y) % 256), UInt8((3 * index + x) % 256), UInt8(7 * y % 256))
      }
    }
    return picture
  }

  private func put(_ data: Data, _ place: String) throws {
    let path = folder.file("data/\(place)")
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  private func write(_ picture: Picture, _ name: String) throws {
    try put(Data(), "images/\(name)")
    try picture.writePNG(to: path(name))
  }

  private func writeTable(_ place: String, _ name: (Int) -> String) throws {
    let entries = (0..<Self.count).map { "[\"\(name($0))\", \($0 % 5)]" }
    try put(Data("{\"labels\": [\(entries.joined(separator: ", "))]}".utf8), "\(place)/dataset.json")
  }

  private func writeLatents(_ layout: PicturedLayout) throws {
    for index in 0..<Self.count { try put(layout.array(index), "\(layout.folder)/\(layout.file(index))") }
    try writeTable(layout.folder, layout.file)
  }

  private func options(_ name: String, _ change: (inout LatentImport.Options) -> Void = { _ in }) throws
    -> LatentImport.Options
  {
    var options = LatentImport.Options()
    options.layout = ImportLayout.all.first { $0.name == name }
    let teacher = "dino=\(folder.file("weights.safetensors"))"
    options.teachers = try TeacherRequest.all(features: [teacher], attention: [teacher])
    options.images.tokens = 2
    change(&options)
    return options
  }

  @discardableResult
  private func run(
    _ source: String, _ out: String, _ options: LatentImport.Options, _ communicator: Communicator = .single(),
    workers: Int = 2, stopRequested: () -> Bool = { false }, note: (String) -> Void = { _ in }
  ) throws -> LatentImport.Summary? {
    try LatentImport(folder.file(source), to: folder.file(out), options)
      .run(communicator, Workers(workers), stopRequested: stopRequested, report: { _, _ in }, note: note)
  }

  /// Imports SpeedrunDiT's latents.
  @discardableResult
  private func run(
    _ out: String, _ change: (inout LatentImport.Options) -> Void = { _ in }, note: (String) -> Void = { _ in }
  ) throws -> LatentImport.Summary? { try run("data/vae-in", out, options("speedrun-dit", change), note: note) }

  private func bytes(_ out: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(out))) }

  private func floats(_ name: String, _ out: String) throws -> [Float] {
    let file = try HDF5File(reading: folder.file(out))
    var values = [Float](repeating: 0, count: try file.describe(name).shape.reduce(1, *))
    try values.withUnsafeMutableBufferPointer { try file.floats(name, into: $0) }
    return values
  }

  /// Expects the same of the teacher, and the same classes.
  private func expectSameTeacher(_ one: String, _ other: String) throws {
    for name in Self.groups {
      let isSame = try floats(name, one) == floats(name, other)
      #expect(isSame, "\(name)")
    }
    let labels = try [one, other].map { try HDF5File(reading: folder.file($0)).integers("/labels") }
    #expect(labels[0] == labels[1])
  }

  /// If this fails, networks are aligned with what the teacher says of other images.
  @Test(
    "What a teacher says of a latent's picture is what it says where the picture itself is imported",
    arguments: PicturedLayout.all, [true, false])
  func sameAsPictures(layout: PicturedLayout, isInner: Bool) throws {
    try writeLatents(layout)
    try run("data/images", "pictures.h5", options("images") { $0.images.side = Self.side })
    let source = isInner ? "data/\(layout.folder)" : "data"
    let summary = try #require(try run(source, "latents.h5", options(layout.name)))
    #expect(summary.samples == Self.count && summary.layout == layout.name && summary.teachers == Self.groups)
    try expectSameTeacher("pictures.h5", "latents.h5")
    let latents = try floats(summary.hasMoments ? "/moments" : "/latents", "latents.h5")
    let elements = layout.extents.reduce(1, *)
    #expect(latents == (0..<Self.count).flatMap { [Float](repeating: layout.value($0), count: elements) })
    let names = TeacherNames(features: "dino", classTokens: "dino", attention: "dino")
    let dataset = try LatentDataset(paths: [folder.file("latents.h5")], flips: false, teacher: names)
    #expect(dataset.featureShape ?? (0, 0) == (4, 64) && dataset.classTokenWidth == 64)
  }

  @Test("Any number of ranks and workers makes the same bytes")
  func sameBytes() throws {
    try writeLatents(.speedrunDiT)
    try run("a.h5")
    let expected = try bytes("a.h5")
    for ranks in [2, 3] {
      _ = try Ranks.run(ranks) {
        try self.run("data/vae-in", "ranks\(ranks).h5", self.options("speedrun-dit"), $0, workers: 4 - ranks)
      }
      #expect(try bytes("ranks\(ranks).h5") == expected, "\(ranks) ranks")
    }
  }

  @Test("An import that was stopped goes on after the first piece, or before it where a picture has changed")
  func stopped() throws {
    try writeLatents(.speedrunDiT)
    for changes in [false, true] {
      // Two workers take four pictures at a time, and once more it is asked after the piece.
      var asked = 0
      let cut = try run(
        "data/vae-in", "\(changes).h5", options("speedrun-dit"),
        stopRequested: {
          asked += 1
          return asked > Self.piece / 4
        })
      #expect(cut == nil)
      if changes { try write(Self.picture(99), Self.name(3)) }
      var notes: [String] = []
      #expect(try run("\(changes).h5", note: { notes.append($0) }) != nil)
      #expect(notes.contains { $0.contains("1 of 2 pieces are imported again") } == changes, "\(notes)")
      try run("whole\(changes).h5")
      #expect(try bytes("\(changes).h5") == bytes("whole\(changes).h5"))
    }
  }

  @Test("Where the preprocessing has left out a picture, pairs are by place, and a line says so")
  func byPlace() throws {
    try writeLatents(.speedrunDiT)
    try run("a.h5")
    for index in (11..<Self.count).reversed() {
      try FileManager.default.moveItem(atPath: path(Self.name(index)), toPath: path(Self.name(index + 1)))
    }
    var notes: [String] = []
    try run("b.h5", note: { notes.append($0) })
    #expect(notes.count == 1 && notes.allSatisfy { $0.contains("are paired by their places in the order of names") })
    try expectSameTeacher("a.h5", "b.h5")
  }

  @Test("Pictures without latents are left aside by name")
  func moreThanLatents() throws {
    try writeLatents(.speedrunDiT)
    try write(Self.picture(3), Self.name(100))
    var notes: [String] = []
    let summary = try #require(try run("a.h5", note: { notes.append($0) }))
    #expect(summary.samples == Self.count)
    #expect(notes.count == 1 && notes.allSatisfy { $0.contains("`00000/img00000100.png`: no latent has the number") })
  }

  /// What may be wrong with one picture.
  enum Fault: String, CaseIterable {
    case missing = "has no picture in"
    case broken = "img00000005.png: a text, expected a JPEG picture or a PNG picture"
    case size = "has 32 x 32 pixels, expected 16 x 16"
  }

  private func apply(_ fault: Fault, _ index: Int) throws {
    let path = path(Self.name(index))
    switch fault {
    case .missing: try FileManager.default.removeItem(atPath: path)
    case .broken: try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
    case .size: try Self.picture(index, side: 2 * Self.side).writePNG(to: path)
    }
  }

  @Test(
    "A latent without its picture is an error that names both, is left out if so asked, and is read once it is mended",
    arguments: Fault.allCases)
  func fault(_ fault: Fault) throws {
    try writeLatents(.speedrunDiT)
    try run("whole.h5")
    try apply(fault, 5)
    #expect { try run("a.h5") } throws: {
      let text = "\($0)"
      return text.contains("sample 00000/img-latents-00000005.npy: ") && text.contains(fault.rawValue)
        && text.contains("data/images") && !text.contains("\n")
    }
    #expect(try run("b.h5") { $0.skipsBroken = true }?.leftOut == 1)
    for name in Self.groups {
      var expected = try floats(name, "whole.h5")
      let width = expected.count / Self.count
      expected.removeSubrange(5 * width..<6 * width)
      let isSame = try floats(name, "b.h5") == expected
      #expect(isSame, "\(name)")
    }
    try write(Self.picture(5), Self.name(5))
    #expect(FileManager.default.fileExists(atPath: folder.file("a.h5.progress")))
    try run("a.h5")
    #expect(try bytes("a.h5") == bytes("whole.h5"))
  }

  private func expect(_ words: String, _ change: (inout LatentImport.Options) -> Void = { _ in }) {
    #expect { try run("a.h5", change) } throws: {
      "\($0)".contains(words) && !"\($0)".contains("\n")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("a.h5.partial")))
  }

  @Test("Pictures that cannot be those of the latents are an error before any work")
  func refusals() throws {
    try writeLatents(.speedrunDiT)
    for index in 0..<Self.count { try Self.picture(index, side: 32).writePNG(to: path(Self.name(index))) }
    expect("data/images: holds pictures of 32 x 32 pixels, expected 16 x 16")
    try FileManager.default.moveItem(atPath: path(Self.name(3)), toPath: path(Self.name(100)))
    try write(Self.picture(4), Self.name(101))
    expect("holds 68 pictures, such as `00000/img00000000.png`, for 67 latents, such as `00000/img-latents-00000000")
    try FileManager.default.removeItem(atPath: path("00000"))
    expect("holds 0 pictures for 67 latents")
    try FileManager.default.removeItem(atPath: folder.file("data/images"))
    expect("data/images: is no folder, expected the pictures that the latents were made of")
    #expect(try run("without.h5") { ($0.teachers, $0.images.tokens) = ([], nil) }?.samples == Self.count)
  }

  @Test("Options that cut, mirror or encode pictures are refused, and those of teachers where there are none")
  func optionsOfPictures() throws {
    try writeLatents(.speedrunDiT)
    func remedy(_ change: (inout LatentImport.Options) -> Void) -> ImportRemedy? {
      do { try run("a.h5", change) } catch { return (error as? FileError)?.remedy as? ImportRemedy }
      return nil
    }
    #expect(remedy { $0.images.side = Self.side } == .leaveOutEncoding)
    #expect(remedy { $0.images.flips = true } == .leaveOutEncoding)
    #expect(remedy { $0.images.isUpright = false } == .leaveOutEncoding)
    #expect(remedy { $0.teachers = [] } == .leaveOutImageOptions)
    #expect(remedy { $0.layout = ImportLayout.all.first { $0.name == "mar" } } == .leaveOutImageOptions)
  }
}

import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct SampleOutputTests {
  private let folder: TemporaryFolder
  private let properties = LatentProperties(
    scale: [2, 2, 2, 2], shift: [0, 0, 0, 0], kind: "latents", pixelRange: -1...1, vae: "")
  private static let (count, tile, side) = (21, 4, 3)

  init() throws { folder = try TemporaryFolder() }

  private static var labels: [Int] { (0..<count).map { $0 % 3 } }

  /// A tile of latents: each image has its own numbers.
  private static func samples(_ first: Int) -> [Float] {
    (0..<tile).flatMap { image in (0..<4 * side * side).map { Float((first + image) * 7 + $0) / 64 - 1 } }
  }

  /// Makes and writes an output on some ranks. `stop` is asked once per round at rank zero while images are made, and
  /// for each piece while they are written; the first time it returns true, the work ends.
  private func write(
    _ name: String, ranks: Int = 1, decodes: Bool = true, samples: @escaping (Int) -> [Float] = Self.samples,
    stop: @escaping () -> Bool = { false }
  ) throws -> Bool {
    let (properties, path) = (properties, folder.file(name))
    return try Ranks.run(ranks) { communicator in
      let file = communicator.rank == 0 ? try SampleFile(path: path) : nil
      let isH5 = name.hasSuffix("h5")
      let record: SampleRendering.Record = name.hasSuffix("png") ? .colors : isH5 ? .numbers : .pixels
      let workers = Workers(2)
      let decoder = try LatentDecoder(
        FakeDecoder(), path: "vae.safetensors", channels: 4, side: Self.side, properties, in: .model, of: "the model",
        workers)
      let rendering = SampleRendering(
        record, channels: 4, side: Self.side, properties, decoder: decodes ? decoder : nil)
      let rounds = SampleRounds(count: Self.count, tile: Self.tile)
      let output = try SampleOutput(file, rendering, rounds, recipe: "recipe", communicator)
      let asks = { communicator.rank == 0 && stop() }
      guard try output.make(stopRequested: asks, report: { _ in }, samples: samples) else { return false }
      return try output.write(
        labels: Self.labels, SampleOrigin(file: "test"), workers, stopRequested: asks, report: { _ in })
    }[0]
  }

  /// The contents of all files of a folder, by name, or of a single file.
  private func contents(_ name: String) throws -> [String: Data] {
    let path = folder.file(name)
    let files = FolderListing.isFolder(path) ? try FolderListing(path).names.map { "\(path)/\($0)" } : [path]
    return try Dictionary(
      uniqueKeysWithValues: files.map {
        ($0 == path ? "" : ($0 as NSString).lastPathComponent, try Data(contentsOf: URL(fileURLWithPath: $0)))
      })
  }

  private func leftovers() throws -> [String] {
    try FolderListing(folder.path).names.filter { $0.hasSuffix(".part") || $0.contains("partial") }
  }

  @Test("Any number of ranks writes the same bytes", arguments: ["a.npz", "a.png", "a"])
  func ranks(name: String) throws {
    #expect(try write("1\(name)"))
    let expected = try contents("1\(name)")
    for ranks in [2, 3] {
      #expect(try write("\(ranks)\(name)", ranks: ranks))
      #expect(try contents("\(ranks)\(name)") == expected)
    }
    #expect(try leftovers() == [])
  }

  @Test(
    "Work that stops anywhere, while images are made or written, goes on and ends with the same bytes",
    arguments: ["a.npz", "a.h5", "a"])
  func interruption(name: String) throws {
    #expect(try write("whole-\(name)", decodes: !name.hasSuffix("h5")))
    var asked = 0
    for limit in 1...20 {
      asked = 0
      func stop() -> Bool {
        asked += 1
        return asked == limit
      }
      let isDone = try write(name, decodes: !name.hasSuffix("h5"), stop: stop)
      guard isDone else {
        #expect(!FileManager.default.fileExists(atPath: folder.file(name)))
        // The same command goes on.
        continue
      }
      #expect(try contents(name) == contents("whole-\(name)"))
      #expect(try leftovers() == [])
      return
    }
    Issue.record("never done")
  }

  @Test("An npz holds the bytes of the published formula and the classes; a data set holds the stored numbers")
  func formats() throws {
    #expect(try write("a.npz"))
    let archive = try ZipArchive(reading: folder.file("a.npz"))
    let images = try NPYArray(archive.contents(of: "arr_0.npy"), name: "arr_0")
    #expect(images.shape == [Self.count, 6, 6, 3])
    let labels = try NPYArray(archive.contents(of: "arr_1.npy"), name: "arr_1").integers()
    #expect(labels == Self.labels.map { Int64($0) })
    let latents = stride(from: 0, to: Self.count, by: Self.tile).flatMap(Self.samples)
    let plane = Self.side * Self.side
    let expected = (0..<Self.count * 6 * 6 * 3).map { index -> Int64 in
      let (color, x, y, image) = (index % 3, index / 3 % 6 / 2, index / 18 % 6 / 2, index / 108)
      let sum = (0..<4).reduce(Float(0)) { $0 + latents[(image * 4 + $1) * plane + y * Self.side + x] / 2 }
      return Int64(max(0, min(255, 127.5 * (Float(color + 1) / 8 * sum) + 127.5)))
    }
    #expect(try images.integers() == expected && Set(expected).count > 50)

    #expect(try write("a.h5", decodes: false))
    let data = try LatentDataset(paths: [folder.file("a.h5")])
    #expect(data.properties == properties && data.source == "test" && data.count == Self.count)
    var stored = [Float](repeating: 0, count: 36)
    try stored.withUnsafeMutableBufferPointer {
      try data.readStored(5, into: Vector($0.baseAddress!, count: 36))
    }
    #expect(stored == latents[5 * 36..<6 * 36].map { $0 / 2 } && data.label(5) == 2)
  }

  @Test("A folder holds numbered pictures and their classes; pictures are never added to others")
  func folders() throws {
    #expect(try write("a"))
    let names = try FolderListing(folder.file("a")).names
    #expect(names == (0..<Self.count).map { String(format: "%06d.png", $0) } + ["dataset.json"])
    let header = try #require(try PictureHeader(path: folder.file("a/000003.png")))
    #expect(header.width == 6 && header.height == 6 && header.colors == "RGB")
    let table = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: folder.file("a/dataset.json"))))
    let labels = try #require((table as? [String: Any])?["labels"] as? [[Any]])
    #expect(labels.map { $0[0] as? String } == names.dropLast() && labels.map { $0[1] as? Int } == Self.labels)
    #expect { try write("a") } throws: { "\($0)".contains("already holds `000000.png` and 21 more") }
    try FileManager.default.createDirectory(atPath: folder.file("b.empty"), withIntermediateDirectories: false)
    #expect(try write("b.empty/"))
    #expect(try contents("b.empty").count == Self.count + 1)
  }

  @Test("A number that is not finite names its image on any rank, and leaves nothing", arguments: [1, 3])
  func notFinite(ranks: Int) throws {
    #expect {
      try write(
        "a.npz", ranks: ranks,
        samples: { first in
          var samples = Self.samples(first)
          if first == 8 { samples[2 * 36 + 5] = .nan }
          return samples
        })
    } throws: { "\($0)".contains("image 10 holds nan") }
    #expect(try FolderListing(folder.path).names == [])
    // Images after the last one only fill up a tile.
    #expect(
      try write(
        "a.npz", ranks: ranks,
        samples: { first in
          var samples = Self.samples(first)
          if first == 20 { samples[36] = .infinity }
          return samples
        }))
  }

  @Test("An ending that is none, and a grid too large for programs to open, are refused with the way out")
  func refusals() throws {
    #expect { try SampleFile(path: folder.file("a.jpg")) } throws: { "\($0)".contains("ends in `jpg`") }
    let file = try SampleFile(path: folder.file("a.png"))
    let rendering = SampleRendering(.colors, channels: 4, side: 64, properties)
    try file.checkSize(labels: Array(repeating: 0, count: 10_000), rendering)
    #expect { try file.checkSize(labels: Array(repeating: 0, count: 1_000_000), rendering) } throws: {
      ($0 as? any RemediableError)?.remedy is SampleRemedy
    }
    #expect(throws: FileError.self) {
      try SampleFile(path: folder.file("a.h5")).check(properties, channels: 4, isDecoded: true)
    }
    for name in ["a.npz", "folder"] {
      let file = try SampleFile(path: folder.file(name))
      #expect(throws: FileError.self) { try file.check(properties, channels: 4, isDecoded: false) }
      try file.check(properties, channels: 4, isDecoded: true)
    }
  }
}

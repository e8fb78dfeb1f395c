import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintImport
import SprintKernels
import SprintTestSupport
import Testing

@Suite struct LatentImportTests {
  private let folder: TemporaryFolder
  private static let count = 1100
  private static let elements = 2 * 16 * 16

  /// A folder of REPA's layout with moments of one channel; sample i holds i + 1 as its mean.
  init() throws {
    folder = try TemporaryFolder()
    var entries: [String] = []
    for i in 0..<Self.count {
      let name = String(format: "%05d/img-mean-std-%08d.npy", i / 1000, i)
      if i % 1000 == 0 {
        try FileManager.default.createDirectory(
          atPath: folder.file(String(format: "vae-sd/%05d", i / 1000)), withIntermediateDirectories: true)
      }
      let values =
        [Float](repeating: Float(i + 1), count: Self.elements / 2) + [Float](repeating: 0.5, count: Self.elements / 2)
      try npyFile(values, [2, 16, 16]).write(to: URL(fileURLWithPath: folder.file("vae-sd/\(name)")))
      entries.append("[\"\(name)\", \(i % 7)]")
    }
    // In reverse order: classes belong to names.
    let json = "{\"labels\": [\(entries.reversed().joined(separator: ", "))]}"
    try Data(json.utf8).write(to: URL(fileURLWithPath: folder.file("vae-sd/dataset.json")))
  }

  private func importer(_ out: String, half: Bool = false) throws -> LatentImport {
    var options = LatentImport.Options()
    options.isHalf = half
    return try LatentImport(folder.path, to: folder.file(out), options)
  }

  private func run(_ out: String, _ communicator: Communicator = .single(), stopAfter rounds: Int = .max) throws -> Bool
  {
    var asked = 0
    return try importer(out).run(communicator, Workers(2)) {
      asked += 1
      return asked >= rounds
    } report: { _, _ in
    } != nil
  }

  private func bytes(_ out: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(out))) }

  private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.file(name)) }

  @Test("Samples and classes come in the order of the names, and the result is a data set")
  func contents() throws {
    #expect(try run("a.h5"))
    let file = try HDF5File(reading: folder.file("a.h5"))
    var values = [Float](repeating: 0, count: Self.elements)
    for index in [0, 1, 1023, Self.count - 1] {
      try values.withUnsafeMutableBufferPointer { try file.floats("/moments", entry: index, into: $0) }
      #expect(values[0] == Float(index + 1) && values[Self.elements - 1] == 0.5)
    }
    #expect(try file.integers("/labels") == (0..<Self.count).map { Int64($0 % 7) })
    let dataset = try LatentDataset(paths: [folder.file("a.h5")])
    #expect(dataset.count == Self.count && dataset.channels == 1 && dataset.properties.scale == [0.18215])
    #expect(!exists("a.h5.partial") && !exists("a.h5.progress"))
  }

  @Test("Any number of ranks makes the same bytes")
  func sameBytes() throws {
    #expect(try run("a.h5"))
    let expected = try bytes("a.h5")
    for ranks in [2, 3] {
      let out = "ranks\(ranks).h5"
      #expect(try Ranks.run(ranks) { try self.run(out, $0) }.allSatisfy(\.self))
      #expect(try bytes(out) == expected, "\(ranks) ranks")
    }
  }

  @Test("An import does not continue the leftovers of an import with another recipe")
  func anotherRecipe() throws {
    #expect(try run("a.h5"))
    let expected = try bytes("a.h5")
    try Data(expected.prefix(2048) + Data(count: expected.count - 2048)).write(
      to: URL(fileURLWithPath: folder.file("b.h5.partial")))
    try Data((String(repeating: "x", count: 79) + "\u{1}").utf8).write(
      to: URL(fileURLWithPath: folder.file("b.h5.progress")))
    #expect(try run("b.h5"))
    #expect(try bytes("b.h5") == expected)
  }

  @Test("An existing output is refused, and stays")
  func occupied() throws {
    try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.file("a.h5")))
    #expect(throws: FileError.self) { try importer("a.h5") }
    #expect(try bytes("a.h5") == Data("mine".utf8))
  }

  private func expect(_ remedy: ImportRemedy, _ words: String, _ work: () throws -> Void) {
    #expect { try work() } throws: {
      ($0 as? FileError)?.remedy as? ImportRemedy == remedy && "\($0)".contains(words)
    }
  }

  @Test("The remedy of a sample's error survives the addition of the sample's name, and of the source's error too")
  func remedies() throws {
    var options = LatentImport.Options()
    options.classes = 5
    expect(.raiseClasses, "img-mean-std-00000005.npy: label 5") {
      _ = try LatentImport(folder.path, to: folder.file("a.h5"), options)
        .run(.single(), Workers(2), stopRequested: { false }, report: { _, _ in })
    }
    options.secondHalf = .logVariance
    options.layout = ImportLayout.all.first { $0.name == "lightning-dit" }
    options.labels = "none"
    expect(.leaveOutLabels, "classes of its own") {
      _ = try LatentImport(folder.path, to: folder.file("a.h5"), options)
    }
    try FileManager.default.moveItem(atPath: folder.file("vae-sd"), toPath: folder.file("other"))
    expect(.nameLayout, "REPA or of EDM2") {
      _ = try LatentImport(folder.file("other"), to: folder.file("a.h5"), .init())
    }
  }

  @Test("Layouts have different names, and each one is recognised by its own files alone")
  func detection() throws {
    #expect(Set(ImportLayout.all.map(\.name)).count == ImportLayout.all.count)
    let files = [
      "repa": ["vae-sd/x"], "speedrun-dit": ["00000/img-latents-00000000.npy"],
      "fast-dit": ["i_features/0.npy", "i_labels/0.npy"], "lightning-dit": ["latents_rank00_shard000.safetensors"],
      "mar": ["n01/a.npz"], "maskdit": ["data.mdb", "vae-sd/x"],
    ]
    for (name, paths) in files {
      for path in paths {
        let file = URL(fileURLWithPath: folder.file("\(name)/\(path)"))
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: file)
      }
      #expect(try ImportLayout.detect(folder.file(name)).name == name)
    }
    try Data().write(to: URL(fileURLWithPath: folder.file("a.HDF5")))
    #expect(try ImportLayout.detect(folder.file("a.HDF5")).name == "repa-e")
    for name in ["a.zip", "a.bin"] {
      #expect(throws: FileError.self) { try ImportLayout.detect(folder.file(name)) }
    }
  }

  /// If this fails, a sample is left out of the data set without a word.
  @Test(
    "A name that is not UTF-8 is refused, with its strange bytes escaped", arguments: ["vae-sd/00001", "vae-sd", "."])
  func strangeName(place: String) throws {
    let bytes = Array(folder.file("\(place)/img-mean-std-caf").utf8) + [0xe9] + Array(".npy".utf8) + [0]
    let descriptor = creat(bytes.map(CChar.init(bitPattern:)), 0o644)
    #expect(descriptor >= 0)
    close(descriptor)
    var options = LatentImport.Options()
    options.labels = "none"
    #expect { try LatentImport(folder.path, to: folder.file("a.h5"), options) } throws: {
      "\($0)".contains("holds `img-mean-std-caf\\xE9.npy`, whose name is not UTF-8")
    }
  }

  @Test("A name in dataset.json that leads out of the folder is refused", arguments: ["../outside.npy", "/etc/passwd"])
  func outside(name: String) throws {
    let json = folder.file("vae-sd/dataset.json")
    let text = try String(contentsOfFile: json, encoding: .utf8)
    try Data(text.replacing("00000/img-mean-std-00000000.npy", with: name).utf8).write(to: URL(fileURLWithPath: json))
    #expect { try importer("a.h5") } throws: { "\($0)".contains("`\(name)`, which is not below its folder") }
  }
}

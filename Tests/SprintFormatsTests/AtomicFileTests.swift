import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct AtomicFileTests {
  private struct Interruption: Error {}

  @Test("A failed write keeps the older file and leaves nothing beside it")
  func interruption() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("f")
    try AtomicFile.write(Data("old".utf8), to: path)
    #expect(throws: Interruption.self) {
      try AtomicFile.create(path) { temporary in
        try Data("half".utf8).write(to: URL(fileURLWithPath: temporary))
        throw Interruption()
      }
    }
    #expect(FileManager.default.contents(atPath: path) == Data("old".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["f"])
  }

  @Test("A path that cannot be written is an error before any work, and the check leaves nothing behind")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.self) { try AtomicFile.checkWritable(folder.file("no/such/folder")) }
    #expect(throws: FileError.self) { try AtomicFile.checkWritable(folder.path) }
    #expect(throws: FileError.self) { try AtomicFile.checkWritable("/proc/sprint") }
    try AtomicFile.checkWritable(folder.file("fine"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("Writers of one file at the same time use files of their own, and one of their files is whole at the end")
  func simultaneous() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("f")
    DispatchQueue.concurrentPerform(iterations: 8) { writer in
      for _ in 0..<50 { try? AtomicFile.write(Data(repeating: UInt8(writer), count: 1000 + writer), to: path) }
    }
    let found = try #require(FileManager.default.contents(atPath: path))
    #expect(found == Data(repeating: found[0], count: 1000 + Int(found[0])))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["f"])
  }

  @Test("A name of the greatest length can be written")
  func longName() throws {
    let folder = try TemporaryFolder()
    for name in [String(repeating: "n", count: 255), String(repeating: "ü", count: 127)] {
      try AtomicFile.checkWritable(folder.file(name))
      try AtomicFile.write(Data("text".utf8), to: folder.file(name))
      #expect(FileManager.default.contents(atPath: folder.file(name)) == Data("text".utf8))
    }
  }

  @Test("Left-overs are those of the owned names and of dead processes of this host, and nothing else")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    // The name that a writer really uses, with the process replaced: no process has the largest number.
    var own = ""
    try AtomicFile.create(folder.file("a.png")) { temporary in
      own = (temporary as NSString).lastPathComponent
      try Data().write(to: URL(fileURLWithPath: temporary))
    }
    let dead = own.replacing(".\(getpid()).", with: ".\(Int32.max).")
    #expect(own.hasPrefix("a.png.") && dead != own)
    let kept = [
      "a.png", own, "a.h5.partial", "a.png.elsewhere.1.ff.partial", "b.png.elsewhere.1.ff.partial", "a.png.part",
    ]
    for name in kept + [dead, "step-1.h5.elsewhere.1.ff.partial"] {
      try Data().write(to: URL(fileURLWithPath: folder.file(name)))
    }
    AtomicFile.removeLeftovers(in: folder.path) { $0.hasPrefix("step-") }
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == Set(kept))
    AtomicFile.removeLeftovers(of: folder.file("a.png"))
    let left = kept.filter { $0 != own && $0 != "a.png.elsewhere.1.ff.partial" }
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == Set(left))
  }

  @Test("A fingerprint is size and SHA-256, and one flipped bit changes it")
  func fingerprint() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("abc")
    try AtomicFile.write(Data("abc".utf8), to: path)
    let fingerprint = try Fingerprint(of: path)
    #expect(fingerprint.size == 3)
    #expect(fingerprint.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    try AtomicFile.write(Data("abb".utf8), to: path)
    #expect(try Fingerprint(of: path) != fingerprint)
  }

  @Test("An npz has numpy's header, the bytes, and a checksum that unzip accepts")
  func npz() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("s.npz")
    try NPYArray.writeNPZ([.init("arr_0", .uint8, shape: [2, 3, 4, 1], (0..<24).map { UInt8($0) })], to: path)
    let data = try #require(FileManager.default.contents(atPath: path))
    #expect(data.prefix(4) == Data([0x50, 0x4b, 3, 4]))
    let text = String(decoding: data, as: UTF8.self)
    #expect(text.contains("arr_0.npy") && text.contains("'shape': (2, 3, 4, 1)") && text.contains("'|u1'"))
    // Magic, version and header fill a multiple of 64 bytes.
    let magic = try #require(data.firstRange(of: Data([0x93] + Array("NUMPY".utf8))))
    #expect((Int(data[magic.lowerBound + 8]) + 10) % 64 == 0)
    let unzip = Process()
    unzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    unzip.arguments = ["unzip", "-tq", path]
    unzip.standardOutput = FileHandle.nullDevice
    unzip.standardError = FileHandle.nullDevice
    try unzip.run()
    unzip.waitUntilExit()
    #expect(unzip.terminationStatus == 0 || unzip.terminationStatus == 127, "unzip -t finds the archive damaged")
  }

  @Test("A picture is written as PNG, and a missing folder is an error")
  func png() throws {
    let folder = try TemporaryFolder()
    var picture = Picture(width: 3, height: 2)
    picture[1, 1] = (1, 2, 3)
    picture[9, 9] = (0, 0, 0)
    try picture.writePNG(to: folder.file("p.png"))
    #expect(FileManager.default.contents(atPath: folder.file("p.png"))?.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]))
    #expect(throws: FileError.self) { try picture.writePNG(to: folder.file("none/p.png")) }
  }

  @Test("A pace slows work down, until it hurries")
  func pace() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("p")
    try Data(count: 8 << 20).write(to: URL(fileURLWithPath: path))
    let clock = ContinuousClock()
    /// The shortest of five runs: another process may hold the cores.
    func shortest(_ pace: Pace?) throws -> Duration {
      try (0..<5).map { _ in try clock.measure { _ = try Fingerprint(of: path, pace: pace) } }.min() ?? .zero
    }
    let fast = try shortest(nil)
    let pace = Pace(rest: 30)
    let slow = try clock.measure { _ = try Fingerprint(of: path, pace: pace) }
    pace.hurry()
    let hurried = try shortest(pace)
    #expect(slow > fast * 5 && slow > hurried * 3, "\(fast), \(slow), \(hurried)")
  }
}

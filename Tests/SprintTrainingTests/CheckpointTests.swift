import Foundation
import SprintTestSupport
import SprintTraining
import Testing

/// A damaged checkpoint is never loaded.
@Suite struct CheckpointTests {
  private let folder: TemporaryFolder
  private let store: CheckpointStore
  /// The newest checkpoint, its manifest, and the one before.
  private let newest, manifest, previous: String

  init() throws {
    folder = try TemporaryFolder()
    var random = Randomness("training data")
    try DatasetFile.write(
      folder.file("data.h5"), shape: [20, 1, 4, 4], values: random.normal(320), labels: (0..<20).map { Int64($0 % 3) })
    let run = RunFolder(path: folder.file("run"))
    store = CheckpointStore(run)
    let trainer = try Trainer(try Self.configuration(folder), folder: run, resume: .auto) { _ in }
    _ = try trainer.run(until: 4, stop: StopRequest())
    let candidates = try store.candidates()
    (newest, previous) = (candidates[0], candidates[1])
    manifest = newest.replacing(".h5", with: ".manifest.json")
  }

  private static func configuration(_ folder: TemporaryFolder) throws -> Configuration {
    try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml",
        settings: ["data.train=[\(folder.file("data.h5"))]", "threads=1", "checkpoint={interval: 2, keep: 3}"]))
  }

  /// Expects that the newest checkpoint is skipped and named, and the one before is used.
  private func expectPrevious(_ what: String) throws {
    let found = try #require(try store.newest())
    #expect(found.checkpoint.path == previous && found.checkpoint.position.step == 2, "\(what)")
    #expect(found.problems.count == 1 && found.problems[0].contains(newest), "\(what): \(found.problems)")
  }

  private func damage(_ path: String, _ what: String, _ change: (inout Data) -> Void) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    var data = whole
    change(&data)
    #expect(data != whole)
    try data.write(to: URL(fileURLWithPath: path))
    try expectPrevious("\(path): \(what)")
    try whole.write(to: URL(fileURLWithPath: path))
    #expect(try store.newest()?.checkpoint.path == newest)
  }

  @Test("One flipped bit anywhere in the file is found, and so are zeros turned to ones, which HDF5's checksum misses")
  func flippedBits() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: newest))
    for region in 0..<64 {
      let offset = region == 63 ? whole.count - 1 : whole.count * region / 63
      try damage(newest, "bit \(region % 8) of byte \(offset)") { $0[offset] ^= 1 << UInt8(region % 8) }
    }
    let zeros = try #require(
      stride(from: whole.count / 2, to: whole.count, by: 4).first { whole[$0..<$0 + 4].allSatisfy { $0 == 0 } })
    try damage(newest, "zeros at \(zeros)") { $0.replaceSubrange(zeros..<zeros + 4, with: [255, 255, 255, 255]) }
  }

  @Test("A flipped bit anywhere in the manifest is found")
  func manifestBits() throws {
    let count = try Data(contentsOf: URL(fileURLWithPath: manifest)).count
    for bit in 0..<8 * count { try damage(manifest, "bit \(bit)") { $0[bit / 8] ^= 1 << UInt8(bit % 8) } }
  }

  @Test("A file or manifest that is cut by a byte, to half or to nothing is found")
  func cuts() throws {
    for path in [newest, manifest] {
      try damage(path, "cut by one byte") { $0.removeLast() }
      try damage(path, "cut to half") { $0.removeLast($0.count / 2) }
      try damage(path, "cut to nothing") { $0 = Data() }
      try damage(path, "longer by one byte") { $0.append(0) }
    }
  }

  @Test(
    "A copy under a name of the user's is taken with a copy of its manifest, but not under the name of another step")
  func copies() throws {
    for name in ["best", "alone2", "step-000000002-good"] {
      let copy = folder.file("\(name).h5")
      try FileManager.default.copyItem(atPath: newest, toPath: copy)
      #expect { try Checkpoint(path: copy) } throws: { "\($0)".contains("\(name).manifest.json is missing") }
      try FileManager.default.copyItem(atPath: manifest, toPath: folder.file("\(name).manifest.json"))
      #expect(try Checkpoint(path: copy).position == Checkpoint(path: newest).position)
    }
    let other = folder.file("step-000000099.h5")
    try FileManager.default.copyItem(atPath: newest, toPath: other)
    try FileManager.default.copyItem(atPath: manifest, toPath: folder.file("step-000000099.manifest.json"))
    #expect { try Checkpoint(path: other) } throws: { "\($0)".contains("its manifest is that of step-") }
  }

  @Test("A deleted file or manifest is named; a run that has lost all checkpoints does not start anew")
  func deletion() throws {
    for path in [newest, manifest] {
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try FileManager.default.removeItem(atPath: path)
      try expectPrevious("\(path) deleted")
      try whole.write(to: URL(fileURLWithPath: path))
    }
    let run = RunFolder(path: folder.file("run"))
    let configuration = try Self.configuration(folder)
    func resume() throws { _ = try Trainer(configuration, folder: run, resume: .auto) { _ in } }
    for path in [newest, previous] { try FileManager.default.removeItem(atPath: path) }
    #expect { try resume() } throws: { "\($0)".contains("none of its checkpoints is whole") }
    for name in try FileManager.default.contentsOfDirectory(atPath: run.checkpoints) {
      try FileManager.default.removeItem(atPath: "\(run.checkpoints)/\(name)")
    }
    #expect { try resume() } throws: { "\($0)".contains("mentions checkpoints, but none of them exists") }
    // A start after step 0 tells of a checkpoint, too.
    try Data("{\"step\": 2, \"started\": \"now\", \"ranks\": 1}\n".utf8).write(to: URL(fileURLWithPath: run.metrics))
    #expect { try resume() } throws: { "\($0)".contains("mentions checkpoints, but none of them exists") }
  }

  @Test("A folder of checkpoints that cannot be listed is an error, with and without a log; the run never starts anew")
  func unlistable() throws {
    let run = RunFolder(path: folder.file("run"))
    let configuration = try Self.configuration(folder)
    try FileManager.default.removeItem(atPath: run.checkpoints)
    // A link to itself cannot be listed, not even by root.
    try FileManager.default.createSymbolicLink(atPath: run.checkpoints, withDestinationPath: run.checkpoints)
    for policy in [ResumePolicy.auto, .never, .auto] {
      #expect { try Trainer(configuration, folder: run, resume: policy) { _ in } } throws: {
        "\($0)".contains("checkpoints: cannot list the folder: ") || "\($0)".contains("already holds a run")
      }
      try? FileManager.default.removeItem(atPath: run.metrics)
    }
  }

  @Test(
    "A damaged checkpoint of a later step does not lead to the removal of a new whole one, and is overwritten later")
  func laterDamage() throws {
    try Data().write(to: URL(fileURLWithPath: newest))
    let run = RunFolder(path: folder.file("run"))
    let settings = try Self.configuration(folder)
    var notes: [String] = []
    let trainer = try Trainer(settings, folder: run, resume: .auto) {
      if case .note(let text) = $0 { notes.append(text) }
    }
    #expect(notes.contains { $0.hasPrefix("skipped: \(newest)") })
    _ = try trainer.run(until: 3, stop: StopRequest())
    #expect(try store.newest()?.checkpoint.position.step == 3)
    _ = try Trainer(settings, folder: run, resume: .auto) { _ in }.run(until: 4, stop: StopRequest())
    #expect(try store.newest()?.checkpoint.position.step == 4 && store.newest()?.problems.isEmpty == true)
  }

  @Test("Steps beyond 999,999,999 sort by number: the newest is found, and nothing older than it counts as newer")
  func largeSteps() throws {
    let names = ["step-999999999.h5", "step-1000000002.h5", "step-3000000000.manifest.json", "step-odd.h5"]
    let run = RunFolder(path: folder.file("large"))
    try run.create()
    for name in names { try Data().write(to: URL(fileURLWithPath: "\(run.checkpoints)/\(name)")) }
    #expect(
      try CheckpointStore(run).candidates().map { ($0 as NSString).lastPathComponent }
        == ["step-3000000000.h5", "step-1000000002.h5", "step-999999999.h5"], "files of other names are no checkpoints")
  }

  @Test("Resuming from an older checkpoint is refused while the folder holds newer ones")
  func ambiguousResume() throws {
    let run = RunFolder(path: folder.file("run"))
    let configuration = try Self.configuration(folder)
    #expect { _ = try Trainer(configuration, folder: run, resume: .file(previous)) { _ in } } throws: {
      "\($0)".contains("is newer than")
    }
    _ = try Trainer(configuration, folder: RunFolder(path: folder.file("other")), resume: .file(previous)) { _ in }
  }

  @Test("Copies under other names are neither removed with old checkpoints nor tried as the newest one")
  func foreignNames() throws {
    let configuration = try Self.configuration(folder)
    let run = RunFolder(path: folder.file("run"))
    let names = [
      "step-best.h5", "step-000000002-good.h5", "step-2.h5", "step-000000002.h5.old", "old-step-000000002.h5",
    ]
    for name in names { try Data("a copy".utf8).write(to: URL(fileURLWithPath: "\(run.checkpoints)/\(name)")) }
    let newest = try #require(try CheckpointStore(run).newest())
    #expect(newest.problems.isEmpty && newest.checkpoint.position.step == 4)
    _ = try Trainer(configuration, folder: run, resume: .auto) { _ in }.run(stop: StopRequest())
    for name in names { #expect(FileManager.default.fileExists(atPath: "\(run.checkpoints)/\(name)"), "\(name)") }
  }
}

import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// What training says about its data before it starts, and file systems and libraries that lack something.
  @Suite(.timeLimit(.minutes(5))) struct DataTests {
    private let folder: TemporaryFolder
    private let injector = SprintCommand.build + "/libFaultInjector.so"

    init() throws { folder = try TemporaryFolder() }

    /// Writes 128 latents like those of `ShortRun`'s data; returns the path.
    private func write(
      _ name: String, values: [Float]? = nil, labels: [Int64]? = nil, numbers: [String: [Double]] = [:]
    ) throws -> String {
      let path = folder.file(name)
      try? FileManager.default.removeItem(atPath: path)
      try DatasetFile.write(
        path, shape: [128, 1, 8, 8], values: values ?? (0..<8192).map { Float($0 % 7) / 2 - 1.5 },
        labels: labels ?? (0..<128).map { $0 % 10 }, numbers: numbers, texts: ["kind": "pixels"])
      return path
    }

    private func run(_ name: String, _ settings: [String], _ more: [String] = []) throws -> SprintCommand.Outcome {
      try ShortRun(name, in: folder, settings).run(ranks: nil, ["--until", "1"] + more)
    }

    @Test("Training warns at its start about samples that nobody wrote and about numbers of an odd size")
    func warnings() throws {
      let empty = try write("empty.h5", values: (0..<8192).map { $0 < 4096 ? Float($0 % 7) / 2 - 1.5 : 0 })
      let large = try write("large.h5", values: (0..<8192).map { Float($0 % 7) * 9 })
      let expected = [empty: "64 of 128 samples are one number throughout", large: "the model would see mean"]
      for (path, words) in expected {
        let outcome = try run(path + " run", ["data={train: [\"\(path)\"]}"])
        #expect(outcome.code == 0 && outcome.output.contains("warning: `data.train`: "), "\(outcome)")
        #expect(outcome.output.contains(words), "\(outcome)")
      }
    }

    @Test("Held-out data of another scale are refused before anything is trained, and so are other data on resuming")
    func otherScale() throws {
      let plain = try write("a.h5")
      let scaled = try write("b.h5", numbers: ["scale": [0.5]])
      let heldOut = try run("held out", ["data={train: [\"\(plain)\"], validation: [\"\(scaled)\"]}"])
      #expect(heldOut.code == 2 && heldOut.errors.contains("b.h5: has `scale` 0.5 instead of 1.0"), "\(heldOut)")
      let first = try run("resumed", ["data={train: [\"\(plain)\"]}"])
      #expect(first.code == 0, "\(first)")
      let settings = ["data={train: [\"\(scaled)\"]}"]
      let second = try ShortRun("resumed", in: folder, settings).run(ranks: nil, ["--resume", "auto", "--until", "2"])
      #expect(second.code == 2 && second.errors.contains("`scale` 0.5 instead of 1.0"), "\(second)")
    }

    @Test("A file system that cannot sync folders holds runs and imports", arguments: [EINVAL, ENOTSUP])
    func unsyncedFolders(code: Int32) throws {
      let environment = ["LD_PRELOAD": injector, "SPRINT_FAULT_FOLDERS": "\(code)"]
      let run = ShortRun("cifs", in: folder)
      let outcome = try run.start(ranks: nil, environment: environment).wait(120)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(!run.manifests().isEmpty)
    }

    @Test("Any other failure to sync a folder ends a run with its reason")
    func brokenFolders() throws {
      let environment = ["LD_PRELOAD": injector, "SPRINT_FAULT_FOLDERS": "\(EROFS)"]
      let outcome = try ShortRun("broken", in: folder).start(ranks: nil, environment: environment).wait(120)
      #expect(outcome.code != 0 && outcome.errors.contains("cannot sync: Read-only file system"), "\(outcome)")
    }

    @Test("With an OpenBLAS that was built without threads, sprint computes on one thread and says so")
    func serialLibrary() throws {
      for (environment, threads) in [(["LD_PRELOAD": injector, "SPRINT_FAULT_SERIAL": "1"], 1), ([:], 2)] {
        let command = try SprintCommand(
          SprintCommand.sprint, ["machine", "--threads", "2"], environment: environment, in: folder)
        let outcome = try command.wait(60)
        #expect(outcome.code == 0 && outcome.output.contains("on \(threads) threads"), "\(outcome)")
        #expect(outcome.errors.contains("built without threads") == (threads == 1), "\(outcome)")
      }
    }
  }
}

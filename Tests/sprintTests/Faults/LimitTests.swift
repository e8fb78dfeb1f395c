import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// A system that refuses threads or open files, as one does at its limits.
  @Suite(.timeLimit(.minutes(5))) struct LimitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The environment in which every thread from the `count`-th on is refused. OpenBLAS starts none.
    private func refusing(from count: Int) -> [String: String] {
      [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "OPENBLAS_NUM_THREADS": "1",
        "SPRINT_FAULT": "refuse:pthread_create:thread:\(count)", "SPRINT_FAULT_FIRED": folder.file("fired \(count)"),
      ]
    }

    /// If this fails, a limit on processes hangs a run, or ends it without its reason or its last state.
    @Test("Whichever thread is refused, a run ends with one line, or saves while training waits; it never hangs")
    func training() throws {
      var seen: Set<String> = []
      for count in [1, 2, 3, 4, 10, 11, 13] {
        let run = ShortRun("refused \(count)", in: folder, ["threads=2"])
        let outcome = try run.start(ranks: nil, environment: refusing(from: count)).wait(60)
        #expect(FileManager.default.fileExists(atPath: folder.file("fired \(count)")), "thread \(count) never started")
        let lines = outcome.errors.split(separator: "\n").filter { !$0.contains("OPENBLAS_CORETYPE") }
        if outcome.code == 0 {
          #expect(try run.finalState() == ShortRun.wholeState(ranks: nil, ["threads=2"]))
          #expect(outcome.output.contains("until then training waits for every save"), "\(outcome)")
          seen.insert("save")
        } else {
          #expect(outcome.code == 1 && lines.count == 1, "\(count): \(outcome)")
          let reason = "` (Resource temporarily unavailable): raise the limit on processes (`ulimit -u`"
          #expect(lines.first?.contains(reason) == true, "\(count): \(outcome)")
          let name = try #require(outcome.errors.split(separator: "`").dropFirst().first.map(String.init))
          seen.insert(name)
          // What was trained before is saved.
          let last = try run.losses().last?.step ?? 0
          #expect(last == 0 || run.manifests().last?.contains(String(format: "%09d", last)) == true, "\(count)")
        }
      }
      #expect(seen == ["worker", "batch reader", "save"], "\(seen)")
    }

    @Test("A refused communication thread ends the job with one line and exit code 1")
    func communication() throws {
      let outcome = try ShortRun("ranks", in: folder).start(ranks: 2, environment: refusing(from: 1)).wait(60)
      #expect(outcome.code == 1, "\(outcome)")
      #expect(outcome.errors.contains("cannot start the thread `communication` (Resource"), "\(outcome)")
    }

    /// Starts a run in which a process may have `files` files open.
    private func limited(_ files: Int, _ run: ShortRun) throws -> SprintCommand.Outcome {
      let script = "ulimit -n \(files) && exec \"$0\" \"$@\""
      return try SprintCommand("/bin/sh", ["-c", script, SprintCommand.sprint] + run.arguments, in: folder).wait(60)
    }

    /// Writes one of the files of a data set, with latents of mirrored images and features.
    private func writeShard(_ index: Int, chunked: Bool) throws -> String {
      let path = folder.file("shard \(index).h5")
      var random = Randomness("shard \(index)")
      let file = try HDF5File(creating: path)
      for name in ["/latents", "/latents_flip"] {
        try random.normal(192).withUnsafeBufferPointer {
          try file.write(name, shape: [3, 1, 8, 8], $0, checked: chunked)
        }
      }
      try file.write("/labels", shape: [3], [0, 1, 2])
      try file.createGroup("features")
      try random.normal(192).withUnsafeBufferPointer {
        try file.write("/features/teacher", shape: [3, 16, 4], $0, checked: chunked)
      }
      try file.close()
      return path
    }

    /// If this fails, a data set of more files than a process may open cannot be trained on, or gives other results.
    @Test("A data set of 200 files trains with 64 descriptors and ends in the same bits")
    func manyFiles() throws {
      let shards = try (0..<200).map { try writeShard($0, chunked: $0 % 2 == 1) }
      let settings = [
        "data={train: [\(shards.map { "\"\($0)\"" }.joined(separator: ", "))], flip: true}", "validation={}",
      ]
      func run(_ name: String, _ more: [String]) -> ShortRun { ShortRun(name, in: folder, settings + more) }
      let alignment = "alignment={features: teacher, feature_width: 4, projector: 8, after_block: 2}"
      for (name, more) in [("flipped", []), ("aligned", ["data.flip=false", alignment])] {
        let whole = run("whole \(name)", more)
        #expect(try whole.run(ranks: nil).code == 0)
        let few = run("few \(name)", more)
        let outcome = try limited(64, few)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try few.finalState() == whole.finalState())
      }
    }

    @Test("Too few descriptors even for one file is an error that says so")
    func tooFewDescriptors() throws {
      for files in [4, 5, 6] {
        let outcome = try limited(files, ShortRun("few \(files)", in: folder))
        guard outcome.code != 0 else { continue }
        #expect(!outcome.errors.contains("HDF5"), "\(files): \(outcome)")
        let words = "Too many open files; raise the limit with `ulimit -n`"
        #expect(outcome.errors.contains(words), "\(files): \(outcome)")
      }
    }
  }
}

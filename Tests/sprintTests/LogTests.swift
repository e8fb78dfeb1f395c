import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// What happens to the files of a log while a run writes them, and how much memory long ones take.
  @Suite(.timeLimit(.minutes(5))) struct LogTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ name: String) -> ShortRun {
      ShortRun(
        name, in: folder,
        [
          "stages[0].steps=400", "stages[1].steps=100", "checkpoint={interval: 1000, keep: 3}",
          "validation={interval: 50, samples: 8}", "samples={interval: 50, steps: 2, per_class: 1}",
        ])
    }

    /// Does `work` to a run after step 20; `repair` is called after step 130, long before a checkpoint is due. Expects
    /// that the run ends well.
    private func disturb(_ run: ShortRun, _ work: () throws -> Void, repair: () throws -> Void) throws -> String {
      let command = try run.start(ranks: nil)
      try run.waitForStep(20, command)
      command.signal(SIGSTOP)
      try work()
      command.signal(SIGCONT)
      try run.wait(command, for: "step 130") { command.outputSoFar.contains("step 130/500") }
      command.signal(SIGSTOP)
      #expect(!command.outputSoFar.contains("step 400/500"), "too late")
      try repair()
      command.signal(SIGCONT)
      let outcome = try command.wait(60)
      #expect(outcome.code == 0, "\(outcome.output.suffix(2000)) \(outcome.errors)")
      return outcome.output
    }

    private func expectWhole(_ run: ShortRun) throws {
      #expect(try run.losses().map(\.step) == Array(1...500))
      let log = try String(contentsOfFile: "\(run.path)/metrics.jsonl", encoding: .utf8)
      #expect(!log.contains("gap_to") && log.components(separatedBy: "validation_loss").count == 11)
      let pictures = try FileManager.default.contentsOfDirectory(atPath: "\(run.path)/samples").sorted()
      #expect(pictures == (1...10).map { "step-\(String(format: "%09d", 50 * $0)).png" })
      let events = try FileManager.default.contentsOfDirectory(atPath: "\(run.path)/tensorboard")
        .map { try Data(contentsOf: URL(fileURLWithPath: "\(run.path)/tensorboard/\($0)")) }.reduce(Data(), +)
      for (tag, count) in [("optimizer/gradient_norm", 500), ("loss/validation", 10), ("IHDR", 10)] {
        var (found, rest) = (0, events[...])
        while let range = rest.range(of: Data(tag.utf8)) { (found, rest) = (found + 1, rest[range.upperBound...]) }
        #expect(found == count, "\(tag)")
      }
    }

    @Test("A run whose folder is moved away and back has all lines, events and pictures in the end")
    func movedFolder() throws {
      let run = run("moved")
      let away = folder.file("away")
      _ = try disturb(run) {
        try FileManager.default.moveItem(atPath: run.path, toPath: away)
      } repair: {
        try FileManager.default.moveItem(atPath: away, toPath: run.path)
      }
      try expectWhole(run)
    }

    @Test(
      "A run on a disk that is full for a while has all lines, events and pictures in the end, and tells of it")
    func fullDisk() throws {
      let disk = folder.file("disk")
      try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
      func shell(_ command: String) throws -> Bool {
        try SprintCommand("/bin/sh", ["-c", command], in: folder).wait(30).code == 0
      }
      guard geteuid() == 0, try shell("mount -t tmpfs -o size=40m tmpfs '\(disk)'") else {
        return print("skipped: mounting a small file system needs root")
      }
      defer { _ = try? shell("umount -l '\(disk)'") }
      let run = run("disk/run")
      let output = try disturb(run) {
        _ = try shell("cat /dev/zero > '\(disk)/filler'")
      } repair: {
        try FileManager.default.removeItem(atPath: "\(disk)/filler")
      }
      try expectWhole(run)
      // The last free bytes of a disk come and go.
      for part in ["the log", "the events for TensorBoard", "the picture"] {
        let told = output.components(separatedBy: "\(part) will be written later").count - 1
        #expect((1...5).contains(told), "\(part)")
        #expect(output.components(separatedBy: "\(part): written again").count - 1 == told, "\(part)")
      }
    }

    @Test("After the removal of log, events and pictures later ones are written, and the report says what is missing")
    func removedFiles() throws {
      let run = run("removed")
      _ = try disturb(run) {
        for name in ["metrics.jsonl", "tensorboard", "samples"] {
          try FileManager.default.removeItem(atPath: "\(run.path)/\(name)")
        }
      } repair: {
      }
      let steps = try run.losses().map(\.step)
      let first = try #require(steps.first)
      #expect(first >= 20 && first < 130 && steps == Array(first...500))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(run.path)/samples").count >= 8)
      let report = try SprintCommand(SprintCommand.sprint, ["report", run.path], in: folder).wait(30)
      #expect(report.code == 0)
      let page = try String(contentsOfFile: "\(run.path)/report.html", encoding: .utf8)
      #expect(page.contains("<dt>steps that the log lacks</dt><dd>1 to \(first - 1)</dd>"))
    }

    @Test(
      "A folder in place of an event file does not stop a run; what takes the place of log or pictures does, at once")
    func wrongKinds() throws {
      let run = ShortRun("kinds", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "10"]).code == 0)
      let events = try FileManager.default.contentsOfDirectory(atPath: "\(run.path)/tensorboard").map {
        "\(run.path)/tensorboard/\($0)"
      }
      try FileManager.default.removeItem(atPath: events[0])
      try FileManager.default.createDirectory(atPath: events[0], withIntermediateDirectories: true)
      let resumed = try run.run(ranks: nil, ["--until", "20"])
      #expect(
        resumed.code == 0 && resumed.output.contains("\(events[0]): a folder, expected an event file"), "\(resumed)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(run.path)/tensorboard").count == 2)

      for name in ["samples", "metrics.jsonl", "tensorboard"] {
        let (path, aside) = ("\(run.path)/\(name)", folder.file("aside"))
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        if name == "metrics.jsonl" {
          try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } else {
          try Data().write(to: URL(fileURLWithPath: path))
        }
        let refused = try run.run(ranks: nil)
        #expect(refused.code == 2 && refused.errors.split(separator: "\n").count == 1, "\(name): \(refused)")
        #expect(refused.errors.contains("\(path): cannot "), "\(refused)")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: aside, toPath: path)
      }
      #expect(try run.run(ranks: nil).code == 0)
      #expect(try run.losses().map(\.step) == Array(1...100))
    }

    @Test("A folder of checkpoints that cannot be listed ends the start; the run does not begin anew")
    func unlistableFolder() throws {
      let run = ShortRun("unlistable", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "20"]).code == 0)
      let manifests = run.manifests()
      for removesLog in [false, true] {
        if removesLog { try FileManager.default.removeItem(atPath: "\(run.path)/metrics.jsonl") }
        let mark = folder.file("fired \(removesLog)")
        let environment = [
          "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_FAULT": "fail:opendir:/checkpoints:1",
          "SPRINT_FAULT_FIRED": mark,
        ]
        let outcome = try run.start(ranks: nil, ["--patience", "1"], environment: environment).wait(60)
        #expect(FileManager.default.fileExists(atPath: mark))
        #expect(outcome.code == 75 && outcome.errors.contains("checkpoints: cannot list the folder"), "\(outcome)")
        #expect(run.manifests() == manifests && !outcome.output.contains("step 1/"))
      }
    }

    /// Runs a command and returns its peak memory in megabytes.
    private func peak(_ arguments: [String]) throws -> Double {
      let script = """
        import resource, subprocess, sys
        assert subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode == 0
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
        """
      let outcome = try Python.run(["-c", script, SprintCommand.sprint] + arguments)
      #expect(outcome.code == 0, "\(outcome.errors)")
      return try #require(Double(outcome.output.split(separator: "\n").last ?? ""))
    }

    @Test(
      "The report on a long log, and the resumption of a run with one, take no more memory than with a short one",
      .enabled(if: Python.has("resource"), Comment(rawValue: Python.lacks("resource"))))
    func memory() throws {
      var peaks: [[Double]] = []
      for count in [1000, 300_000] {
        let run = ShortRun("run \(count)", in: folder)
        #expect(try run.run(ranks: nil, ["--until", "10"]).code == 0)
        let numbers = [
          "gradient_norm", "learning_rate", "seconds", "images_per_second", "peak_share", "data_seconds", "skipped",
        ].map { ", \"\($0)\": 0.0123456789" }.joined()
        let log = try #require(FileHandle(forWritingAtPath: "\(run.path)/metrics.jsonl"))
        try log.seekToEnd()
        for step in 11...count {
          try log.write(contentsOf: Data("{\"step\": \(step), \"stage\": \"full\", \"loss\": 1.5\(numbers)}\n".utf8))
        }
        try log.write(contentsOf: Data("a damaged line".utf8))
        let report = try peak(["report", run.path, "--csv", folder.file("r.csv")])
        peaks.append([report, try peak(run.arguments + ["--until", "20"])])
        #expect(try run.losses().map(\.step) == Array(1...20))
      }
      for (short, long) in zip(peaks[0], peaks[1]) { #expect(long < short + 16, "\(peaks)") }
    }
  }
}

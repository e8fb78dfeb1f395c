import Foundation
import SprintFormats
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct TrainerTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    var random = Randomness("training data")
    try DatasetFile.write(
      folder.file("data.h5"), shape: [20, 1, 4, 4], values: random.normal(320), labels: (0..<20).map { Int64($0 % 3) })
  }

  private func configuration(_ settings: [String] = []) throws -> Configuration {
    try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml",
        settings: [
          "data.train=[\(folder.file("data.h5"))]", "threads=2", "checkpoint={interval: 100, keep: 20}",
          "stages[0].steps=6", "stages[1].steps=4", "stages[0].learning_rate=0.01",
        ] + settings))
  }

  private func trainer(_ run: String, _ settings: [String] = [], resume: ResumePolicy = .auto, debug: Bool = false)
    throws -> Trainer
  {
    try Trainer(configuration(settings), folder: RunFolder(path: folder.file(run)), resume: resume, isDebugging: debug)
    { _ in }
  }

  /// The training state in the newest checkpoint.
  private func state(_ run: String) throws -> [String: [Float]] {
    let path = try #require(try CheckpointStore(RunFolder(path: folder.file(run))).newest()).checkpoint.path
    let file = try HDF5File(reading: path)
    var state: [String: [Float]] = [:]
    for group in ["/model", "/ema", "/adam/m", "/adam/v"] {
      for name in try file.names(in: group) {
        var values = [Float](repeating: 0, count: try file.describe("\(group)/\(name)").shape.reduce(1, *))
        try values.withUnsafeMutableBufferPointer { try file.floats("\(group)/\(name)", into: $0) }
        state["\(group)/\(name)"] = values
      }
    }
    return state
  }

  private func steps(_ run: String) throws -> [Int] {
    let text = try String(contentsOfFile: RunFolder(path: folder.file(run)).metrics, encoding: .utf8)
    return try text.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["loss"] == nil ? nil : object?["step"] as? Int
    }
  }

  @Test(
    "A run stopped at any step and resumed ends in the same bits, each step logged once", arguments: ["ema", "model"])
  func resume(start: String) throws {
    let settings = ["stages[1].start_from=\(start)"]
    #expect(try trainer("whole", settings).run(stop: StopRequest()) == .finished)
    let whole = try state("whole")
    #expect(whole.values.contains { $0.contains { $0 != 0 } })
    for last in 1..<10 {
      let run = "stopped at \(last)"
      #expect(try trainer(run, settings).run(until: last, stop: StopRequest()) == .reachedStep)
      #expect(try trainer(run, settings).run(stop: StopRequest()) == .finished)
      #expect(try state(run) == whole, "stopped at \(last)")
      #expect(try steps(run) == Array(1...10))
    }
  }

  @Test(
    "A network without classes trains in the same bits whatever the labels, the label drop, or without labels at all")
  func withoutClasses() throws {
    let settings = ["model.classes=0", "data.validation=[\(folder.file("data.h5"))]", "validation.interval=3"]
    // The gradients are compared with central differences.
    #expect(
      try trainer("labels", settings + ["stages[0].label_drop=0.5"], debug: true).run(stop: StopRequest()) == .finished)
    let state = try state("labels")
    #expect(state["/model/y_embedder.embedding_table.weight"]?.count == 16)
    let (file, bare) = (try HDF5File(reading: folder.file("data.h5")), try HDF5File(creating: folder.file("bare.h5")))
    var values = [Float](repeating: 0, count: 320)
    try values.withUnsafeMutableBufferPointer { try file.floats("/latents", into: $0) }
    try values.withUnsafeBufferPointer { try bare.write("/latents", shape: [20, 1, 4, 4], $0, checked: false) }
    try bare.close()
    let paths = ["data.train=[\(folder.file("bare.h5"))]", "data.validation=[\(folder.file("bare.h5"))]"]
    #expect(try trainer("bare", settings + paths).run(stop: StopRequest()) == .finished)
    #expect(try self.state("bare") == state)
    #expect { try trainer("three", paths) } throws: { "\($0)".contains("has no /labels, the model has 3 classes") }
  }

  @Test("A requested stop saves at once, and steps logged after the last checkpoint are not logged twice")
  func requestedStop() throws {
    let stop = StopRequest()
    stop.request()
    #expect(try trainer("r").run(stop: stop) == .interrupted)
    #expect(try steps("r") == [1])
    // As after a kill: the log has gone on, the checkpoint has not.
    let metrics = RunFolder(path: folder.file("r")).metrics
    let log = try String(contentsOfFile: metrics, encoding: .utf8)
    try (log + "{\"step\": 2, \"loss\": 1}\n{\"step\": 3, \"lo").write(
      toFile: metrics, atomically: true, encoding: .utf8)
    #expect(try trainer("r").run(stop: StopRequest()) == .finished)
    #expect(try steps("r") == Array(1...10))
  }

  @Test("Gradient accumulation gives the gradients of the whole batch")
  func accumulation() throws {
    #expect(try trainer("whole").run(stop: StopRequest()) == .finished)
    #expect(
      try trainer("parts", ["stages[0].accumulate=4", "stages[1].accumulate=2"]).run(stop: StopRequest()) == .finished)
    let (whole, parts) = (try state("whole"), try state("parts"))
    // AdamW's first steps amplify the rounding of gradients near zero: the moments are compared.
    for (name, values) in whole where name.hasPrefix("/adam/m") && values.contains(where: { abs($0) > 1e-4 }) {
      #expect(relativeError((parts[name] ?? []).map(Double.init), values.map(Double.init)) < 1e-2, "\(name)")
    }
  }

  @Test("Training in a folder that already holds a run is refused")
  func occupied() throws {
    _ = try trainer("o").run(until: 1, stop: StopRequest())
    #expect { try trainer("o", resume: .never) } throws: { "\($0)".contains("already holds a run, at step 1") }
  }

  @Test("A checkpoint of another network or seed is refused with the differing keys")
  func otherConfiguration() throws {
    _ = try trainer("c").run(until: 1, stop: StopRequest())
    #expect { try trainer("c", ["model.width=32", "seed=1", "optimizer.beta2=0.9"]) } throws: {
      "\($0)".contains("`model.width` was 16, now 32") && "\($0)".contains("`seed`") && !"\($0)".contains("beta2")
    }
  }

  /// What a run says when it resumes with settings.
  private func notes(_ run: String, _ settings: [String], until: Int? = nil) throws -> [String] {
    var notes: [String] = []
    let trainer = try Trainer(configuration(settings), folder: RunFolder(path: folder.file(run)), resume: .auto) {
      if case .note(let text) = $0 { notes.append(text) }
    }
    _ = try trainer.run(until: until, stop: StopRequest())
    return notes
  }

  private func changes(_ run: String) throws -> [ConfigurationChange] {
    try #require(try CheckpointStore(RunFolder(path: folder.file(run))).newest()).checkpoint.changes
  }

  @Test("A rate that changes on resuming gives the bits of a run whose rate changes there by its schedule")
  func changedRate() throws {
    // The first update of this warm-up has half of the rate, all later ones have all of it.
    let rising = ["stages[0].warmup=1", "stages[0].warmup_start=0.5"]
    #expect(try trainer("rising", rising).run(until: 6, stop: StopRequest()) == .reachedStep)
    _ = try notes("changed", ["stages[0].learning_rate=0.005"], until: 1)
    let said = try notes("changed", [], until: 6)
    #expect(said.contains("`stages[0].learning_rate` was 0.005, now 0.01, from step 2 on"), "\(said)")
    #expect(try state("changed") == state("rising"))
    #expect(
      try changes("changed")
        == [ConfigurationChange(step: 2, key: "stages[0].learning_rate", from: "0.005", to: "0.01")])
  }

  @Test("A finished run goes on for more steps and further stages as if it had had them from the start")
  func longer() throws {
    #expect(try trainer("whole").run(stop: StopRequest()) == .finished)
    let one = "stages=[{steps: 4, batch: 4, drop: {ratio: 0.75}, learning_rate: 0.01}]"
    func both(_ steps: Int) -> [String] {
      [
        "stages=[{steps: \(steps), batch: 4, drop: {ratio: 0.75}, learning_rate: 0.01}, "
          + "{steps: 4, batch: 2, learning_rate: 3.0e-4, drop: {kind: none}}]"
      ]
    }
    _ = try notes("longer", [one])
    let said = try notes("longer", both(6))
    #expect(said.contains("`stages[0].steps` was 4, now 6, from step 5 on"), "\(said)")
    #expect(said.contains("`stages[1]` was not set, now 4 steps of `full`, from step 5 on"), "\(said)")
    #expect(try state("longer") == state("whole") && steps("longer") == Array(1...10))
    #expect { try trainer("longer", both(7)) } throws: { "\($0)".contains("`stages[0]` is over after 6 steps of 4") }
    #expect { try trainer("longer", ["stages[1].steps=3"]) } throws: {
      "\($0)".contains("`stages[1].steps` is 3, but the run has done 4; give it at least 4")
    }
    #expect { try trainer("longer", [one]) } throws: { "\($0)".contains("is left out; give it again") }
    #expect(try notes("longer", both(6)).allSatisfy { !$0.contains("now") })
  }

  @Test("A change that the next start does not repeat is told as another change, and all are in the checkpoint")
  func undone() throws {
    _ = try notes("u", [], until: 2)
    _ = try notes("u", ["optimizer.clip=0.5", "stages[0].batch=3", "stages[0].label_drop=0.5"], until: 4)
    let said = try notes("u", ["stages[0].batch=3"], until: 6)
    #expect(
      said.contains("`optimizer.clip` was 0.5, now 1.0, from step 5 on; that undoes the change of step 3"), "\(said)")
    #expect(try changes("u").map(\.step) == [3, 3, 3, 5, 5])
    #expect(
      try Set(changes("u").prefix(3).map(\.key)) == ["optimizer.clip", "stages[0].batch", "stages[0].label_drop"])
    // Without a save the change was never made: nothing is undone.
    _ = try trainer("u", ["stages[0].batch=3", "optimizer.clip=0.25"])
    #expect(try notes("u", ["stages[0].batch=3"]).allSatisfy { !$0.contains("clip") })
  }

  @Test("A falling rate that more steps stretch is told with its new value")
  func stretchedSchedule() throws {
    let falling = ["stages[0].final_rate=0"]
    _ = try notes("f", falling, until: 3)
    let said = try notes("f", falling + ["stages[0].steps=7"], until: 4)
    // The rate falls to nothing over steps - 1 updates; three are done.
    #expect(
      said.contains { $0.hasPrefix("the learning rate of step 4 is 0.005, without the changes 0.004") }, "\(said)")
  }

  @Test("A stage that its plateau has ended goes on with more steps or another plateau")
  func reopenedPlateau() throws {
    let settings = [
      "data.validation=[\(folder.file("data.h5"))]", "validation={interval: 1, samples: 20}",
      "stages=[{steps: 8, batch: 4, drop: {ratio: 0.75}, plateau: {patience: 1, threshold: 0.9}}]",
    ]
    _ = try notes("plateau", settings)
    #expect(try steps("plateau") == [1, 2], "the second validation brings no gain of nine tenths")
    _ = try notes("plateau", settings + ["stages[0].plateau=null"])
    #expect(try steps("plateau") == Array(1...8))
  }

  @Test(
    "A damaged newest checkpoint is skipped for the one before; if none is whole the run does not start from step zero")
  func damagedCheckpoints() throws {
    _ = try trainer("d", ["checkpoint.interval=2"]).run(until: 4, stop: StopRequest())
    let store = CheckpointStore(RunFolder(path: folder.file("d")))
    let candidates = try store.candidates()
    #expect(candidates.count == 2)
    var bytes = try #require(FileManager.default.contents(atPath: candidates[0]))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: candidates[0]))
    let newest = try #require(try store.newest())
    #expect(
      newest.checkpoint.position.step == 2 && newest.problems.count == 1 && newest.problems[0].contains(candidates[0]))
    try Data().write(to: URL(fileURLWithPath: candidates[1]))
    #expect { try trainer("d") } throws: { "\($0)".contains("none of its checkpoints is whole") }
  }

  @Test("Only as many checkpoints are kept as the configuration says")
  func pruning() throws {
    _ = try trainer("p", ["checkpoint={interval: 1, keep: 2}"]).run(stop: StopRequest())
    let files = try FileManager.default.contentsOfDirectory(atPath: RunFolder(path: folder.file("p")).checkpoints)
      .sorted()
    #expect(files == ["000000009", "000000010"].flatMap { ["step-\($0).h5", "step-\($0).manifest.json"] })
  }

  @Test("A loss that is not finite ends the run with step, loss and last good checkpoint, or is skipped and counted")
  func nonFinite() throws {
    let blowUp = ["stages[0].learning_rate=1.0e30", "optimizer.clip=0", "checkpoint.interval=1"]
    #expect { try trainer("n", blowUp).run(stop: StopRequest()) } throws: { error in
      let text = "\(error)"
      guard case RunError.notFinite(step: 2, _, let way) = error else { return false }
      return text.contains("step 2: ") && text.contains("nan") && way.saved?.hasSuffix("step-000000001.h5") == true
        && way.earlier == nil && way.isEarly
    }
    #expect(try trainer("s", blowUp + ["non_finite=skip"]).run(stop: StopRequest()) == .finished)
    let newest = try #require(try CheckpointStore(RunFolder(path: folder.file("s"))).newest())
    #expect(newest.checkpoint.position.skipped > 0 && newest.checkpoint.position.step == 10)
  }

  @Test("After a number that is not finite a run goes back to earlier weights, unless it is to skip such steps")
  func goingBack() throws {
    let (small, large) = (
      ["checkpoint={interval: 2, keep: 2}"], ["stages[0].learning_rate=1.0e30", "optimizer.clip=0"]
    )
    _ = try notes("back", small, until: 3)
    #expect { try trainer("back", small + large).run(stop: StopRequest()) } throws: { error in
      guard case RunError.notFinite(step: 5, _, let way) = error else { return false }
      return way.saved?.hasSuffix("4.h5") == true && way.earlier?.hasSuffix("3.h5") == true
    }
    let copies = try (0..<2).map { index in
      try FileManager.default.copyItem(atPath: folder.file("back"), toPath: folder.file("back \(index)"))
      return "back \(index)"
    }
    #expect(try notes(copies[0], small).contains { $0.hasPrefix("resumed at step 3 ") })
    #expect(try steps(copies[0]) == Array(1...10))
    #expect(try notes(copies[1], small + large + ["non_finite=skip"]).contains { $0.hasPrefix("resumed at step 4 ") })
    #expect(try steps(copies[1]) == Array(1...10))
  }

  @Test("Updates that are skipped for ever end the run; a lower rate then starts it from before they began")
  func skippedForEver() throws {
    let settings = ["stages[0].steps=100", "non_finite=skip", "optimizer.clip=0", "checkpoint={interval: 5, keep: 2}"]
    let large = settings + ["stages[0].learning_rate=1.0e30"]
    _ = try notes("s", settings, until: 7)
    #expect { try trainer("s", large).run(stop: StopRequest()) } throws: { error in
      guard case RunError.notFinite(step: 58, _, let way) = error else { return false }
      return way.skips && way.skipped == 50 && way.earlier?.hasSuffix("7.h5") == true && "\(error)".contains("after 50")
    }
    // As a script that starts it again and again would: nothing new is saved, and the good checkpoint stays.
    for _ in 0..<2 { #expect(throws: RunError.self) { try trainer("s", large).run(stop: StopRequest()) } }
    let said = try notes("s", settings, until: 20)
    #expect(said.contains { $0.hasPrefix("resumed at step 7 ") }, "\(said)")
    #expect(try steps("s") == Array(1...20))
  }

  @Test(
    "Data that cannot be used end the run with the step named, and lose no step of it", arguments: ["train", "held"])
  func unreadableData(kind: String) throws {
    // The look at 256 samples, before a run starts, does not see the bad ones.
    let seen = Set((0..<256).map { $0 * 299 / 255 })
    let values = (0..<300).flatMap { [seen.contains($0) ? 0.5 : .nan] + [Float](repeating: 0.25, count: 15) }
    try DatasetFile.write(
      folder.file("bad.h5"), shape: [300, 1, 4, 4], values: values, labels: (0..<300).map { Int64($0 % 3) })
    let settings =
      kind == "train"
      ? ["data.train=[\(folder.file("bad.h5"))]"]
      : ["data.validation=[\(folder.file("bad.h5"))]", "validation={interval: 5, samples: 20}"]
    #expect { try trainer(kind, settings).run(stop: StopRequest()) } throws: { error in
      guard case RunError.unreadable(let step, let problem) = error else { return false }
      return step > 0 && problem.contains("holds nan")
    }
    let logged = try #require(try steps(kind).last)
    let newest = try #require(try CheckpointStore(RunFolder(path: folder.file(kind))).newest())
    #expect(newest.checkpoint.position.step == logged && logged > 0)
  }

  @Test("Other training data of the same size are mentioned; where a plateau decides, other held-out data are refused")
  func otherData() throws {
    var random = Randomness("other data")
    for (name, classes) in [("held", 3), ("moved", 3), ("other", 2)] {
      try DatasetFile.write(
        folder.file("\(name).h5"), shape: [20, 1, 4, 4], values: random.normal(320),
        labels: (0..<20).map { Int64($0 % classes) })
    }
    func notes(_ data: String, held: String, _ more: [String] = []) throws -> [String] {
      var notes: [String] = []
      let settings = ["data.train=[\(folder.file(data))]", "data.validation=[\(folder.file(held))]"] + more
      let trainer = try Trainer(
        configuration(settings), folder: RunFolder(path: folder.file("o")), resume: .auto
      ) { if case .note(let text) = $0 { notes.append(text) } }
      _ = try trainer.run(until: 2, stop: StopRequest())
      return notes.filter { $0.contains("the training data are not those") }
    }
    #expect(try notes("data.h5", held: "held.h5").isEmpty)
    try FileManager.default.copyItem(atPath: folder.file("data.h5"), toPath: folder.file("copy.h5"))
    #expect(try notes("copy.h5", held: "moved.h5").isEmpty, "the place of the files and held-out data may change")
    #expect(try notes("other.h5", held: "held.h5").count == 1)
    let plateau = ["stages[0].plateau={patience: 9, threshold: 0.1}"]
    func train(held: String) throws -> TrainingEnd {
      try trainer("p", ["data.validation=[\(folder.file(held))]"] + plateau).run(until: 2, stop: StopRequest())
    }
    #expect(try train(held: "held.h5") == .reachedStep)
    #expect { try train(held: "moved.h5") } throws: { "\($0)".contains("`data.validation` names other data") }
    #expect(try train(held: "held.h5") == .reachedStep)
  }

  @Test("Debugging compares gradients with central differences and names the first bad buffer")
  func debugging() throws {
    #expect(try trainer("g", debug: true).run(until: 1, stop: StopRequest()) == .reachedStep)
  }

  @Test("A batch larger than the data set is refused before anything is written")
  func tooFewSamples() throws {
    #expect { try trainer("f", ["stages[0].batch=40"]) } throws: {
      "\($0)".contains("20 samples, fewer than the batch of 40")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("f")))
  }

  @Test("Alignment uses the stored features up to its last step, and not after it")
  func alignment() throws {
    var random = Randomness()
    try DatasetFile.write(
      folder.file("aligned.h5"), shape: [20, 1, 4, 4], values: random.normal(320),
      labels: [Int64](repeating: 1, count: 20),
      features: ("teacher", [20, 16, 4], random.normal(1280)))
    let settings = [
      "data.train=[\(folder.file("aligned.h5"))]",
      "alignment={features: teacher, feature_width: 4, projector: 8, after_block: 2, last_step: 6, weight: 0.5}",
    ]
    #expect(try trainer("a", settings).run(stop: StopRequest()) == .finished)
    let text = try String(contentsOfFile: RunFolder(path: folder.file("a")).metrics, encoding: .utf8)
    let values = text.split(separator: "\n").filter { $0.contains("\"loss\"") }.map {
      $0.contains("\"alignment\": 0.0,")
    }
    #expect(values == Array(repeating: false, count: 6) + Array(repeating: true, count: 4))
  }

  @Test(
    "A run that is killed after it has caught up on a validation does not put it into log and events twice",
    arguments: [true, false])
  func caughtUpTwice(hasPlateau: Bool) throws {
    let settings =
      ["data.validation=[\(folder.file("data.h5"))]", "validation={interval: 1, samples: 20}"]
      + (hasPlateau ? ["stages[0].plateau={patience: 9, threshold: 0}"] : [])
    let stop = StopRequest()
    stop.request()
    // The stop leaves out the validation of step 1.
    #expect(try trainer("caught 0", settings).run(stop: stop) == .interrupted)
    // The state of a plateau is in the checkpoint alone, so that the validation has to be repeated.
    let rounds = hasPlateau ? 3 : 1
    for round in 0..<rounds {
      let (run, next) = (folder.file("caught \(round)"), folder.file("caught \(round + 1)"))
      let resumed = try Trainer(configuration(settings), folder: RunFolder(path: run), resume: .auto) { event in
        guard case .validation(step: 1, _) = event else { return }
        // What a kill at this moment leaves.
        try? FileManager.default.copyItem(atPath: run, toPath: next)
      }
      _ = try resumed.run(until: 2, stop: StopRequest())
    }
    let last = RunFolder(path: folder.file("caught \(rounds)"))
    _ = try trainer("caught \(rounds)", settings).run(until: 1, stop: StopRequest())
    let log = try String(contentsOfFile: last.metrics, encoding: .utf8)
    #expect(log.components(separatedBy: "validation_loss").count == 2, "\(log)")
    let events = try FileManager.default.contentsOfDirectory(atPath: last.tensorBoard)
      .map { try Data(contentsOf: URL(fileURLWithPath: "\(last.tensorBoard)/\($0)")) }.reduce(Data(), +)
    let found = try #require(events.range(of: Data("loss/validation".utf8)))
    #expect(events[found.upperBound...].range(of: Data("loss/validation".utf8)) == nil)
  }

  @Test("Pictures and log lines that cannot be written while the folder is away are there in the end")
  func folderAway() throws {
    let (run, away) = (folder.file("moved"), folder.file("away"))
    var notes: [String] = []
    let settings = ["samples={interval: 2, steps: 2, per_class: 1, classes: [0]}", "checkpoint.interval=1000"]
    let moving = try Trainer(configuration(settings), folder: RunFolder(path: run), resume: .auto) { event in
      if case .note(let text) = event { notes.append(text) }
      guard case .step(let step) = event else { return }
      if step.position.step == 2 { try? FileManager.default.moveItem(atPath: run, toPath: away) }
      if step.position.step == 5 { try? FileManager.default.moveItem(atPath: away, toPath: run) }
    }
    #expect(try moving.run(stop: StopRequest()) == .finished)
    #expect(try steps("moved") == Array(1...10))
    let pictures = try FileManager.default.contentsOfDirectory(atPath: RunFolder(path: run).samples).sorted()
    #expect(pictures == [2, 4, 6, 8, 10].map { "step-\(String(format: "%09d", $0)).png" })
    #expect(notes.count { $0.contains("the picture will be written later") } == 1, "\(notes)")
  }

  @Test("A log that can never be written again does not stop the run, which says so; the next start marks the gap")
  func unwritable() throws {
    let run = RunFolder(path: folder.file("unwritable"))
    var notes: [String] = []
    let trainer = try Trainer(configuration(), folder: run, resume: .auto) { event in
      if case .note(let text) = event { notes.append(text) }
      guard case .step(let step) = event, step.position.step == 3 else { return }
      try? FileManager.default.moveItem(atPath: run.metrics, toPath: run.metrics + ".old")
      try? FileManager.default.createDirectory(atPath: run.metrics, withIntermediateDirectories: true)
    }
    #expect(try trainer.run(until: 8, stop: StopRequest()) == .reachedStep)
    #expect(
      notes.contains { $0.contains("metrics.jsonl: steps ") && $0.contains(" to 8 could not be written") }, "\(notes)")
    try FileManager.default.removeItem(atPath: run.metrics)
    try FileManager.default.moveItem(atPath: run.metrics + ".old", toPath: run.metrics)
    #expect(try self.trainer("unwritable").run(stop: StopRequest()) == .finished)
    #expect(try steps("unwritable") == [1, 2, 3, 9, 10])
    #expect(try String(contentsOfFile: run.metrics, encoding: .utf8).contains("{\"step\": 4, \"gap_to\": 8}"))
  }
}

import Foundation
import SprintCommunication
import SprintKernels
import SprintTestSupport
import SprintTraining
import Testing

/// Trainers on simulated ranks of this process.
@Suite(.timeLimit(.minutes(5))) struct DistributedTrainerTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    var random = Randomness("training data")
    for (name, count) in [("data", 20), ("held", 70)] {
      try DatasetFile.write(
        folder.file("\(name).h5"), shape: [count, 1, 4, 4], values: random.normal(16 * count),
        labels: (0..<count).map { Int64($0 % 3) },
        more: [
          ("/features/teacher", [count, 16, 6], random.normal(96 * count)),
          ("/class_tokens/teacher", [count, 6], random.normal(6 * count)),
        ])
    }
  }

  private func configuration(_ settings: [String]) throws -> Configuration {
    try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml",
        settings: [
          "data.train=[\(folder.file("data.h5"))]", "data.validation=[\(folder.file("held.h5"))]", "threads=1",
          "checkpoint={interval: 3, keep: 2}", "validation={interval: 4, samples: 70}", "stages[0].steps=6",
          "stages[1].steps=4", "stages[0].batch=8", "stages[1].batch=7", "stages[0].learning_rate=0.01",
          "samples={interval: 5, per_class: 2, steps: 2}",
        ] + settings))
  }

  struct Run {
    let end: TrainingEnd
    /// Weights, average and moments, one after another.
    let state: [[Float]]
    let stateBytes: [Int]
    let notes: [String]
  }

  /// One call to train on `ranks` ranks.
  private func run(
    _ name: String, ranks: Int, _ settings: [String] = [], resume: ResumePolicy = .auto, until: Int? = nil,
    deadline: ContinuousClock.Instant? = nil,
    stop: @escaping (_ rank: Int, _ event: TrainingEvent?) -> Bool = { _, _ in false }
  ) throws -> Run {
    let configuration = try configuration(settings)
    let runFolder = RunFolder(path: folder.file(name))
    let results = try Ranks.run(ranks) { communicator -> (TrainingEnd, [[Float]], Int, [String]) in
      let request = StopRequest()
      if stop(communicator.rank, nil) { request.request() }
      var notes: [String] = []
      let trainer = try Trainer(configuration, folder: runFolder, resume: resume, communicator: communicator) { event in
        if case .note(let text) = event { notes.append(text) }
        if stop(communicator.rank, event) { request.request() }
      }
      let end = try trainer.run(until: until, deadline: deadline, stop: request)
      let state = try trainer.state()
      let arenas = state.map { state in TrainingPart.allCases.map { state[$0] } } ?? []
      return (end, arenas.map(\.elements.array), trainer.stateBytes, notes)
    }
    #expect(results.allSatisfy { $0.0 == results[0].0 }, "ranks ended differently: \(results.map(\.0))")
    return Run(end: results[0].0, state: results[0].1, stateBytes: results.map(\.2), notes: results[0].3)
  }

  private func losses(_ name: String) throws -> [(step: Int, loss: Double)] {
    let text = try String(contentsOfFile: RunFolder(path: folder.file(name)).metrics, encoding: .utf8)
    return try text.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let step = object?["step"] as? Int, let loss = object?["loss"] as? Double else { return nil }
      return (step, loss)
    }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Double { relativeError(a.map(Double.init), b.map(Double.init)) }

  @Test("The same losses step by step and the same weights, on any number of ranks, sharded or not")
  func rankCounts() throws {
    let one = try run("1", ranks: 1)
    #expect(one.end == .finished)
    let expected = try losses("1")
    for ranks in [2, 3, 4] {
      for sharded in [true, false] {
        let name = "\(ranks) \(sharded)"
        let many = try run(name, ranks: ranks, ["distribution.sharded=\(sharded)"])
        let found = try losses(name)
        #expect(found.map(\.step) == Array(1...10))
        for (a, b) in zip(found, expected) { #expect(abs(a.loss - b.loss) < 1e-5 * b.loss, "\(name) step \(a.step)") }
        #expect(distance(many.state[0], one.state[0]) < 1e-4 && distance(many.state[1], one.state[1]) < 1e-4)
        for bytes in many.stateBytes {
          #expect(sharded ? bytes <= one.stateBytes[0] / ranks + 24 : bytes == one.stateBytes[0])
        }
      }
    }
  }

  /// All parts of SR-DiT.
  private static let parts = [
    "model.norm=rms", "model.value_residual=true", "model.position=rotary_and_sines", "model.class_token=6",
    "model.fusion=concat_linear_shallow_first", "model.output_order=channel_last",
    "model.mask_token=learned_from_zero", "class_token={teacher: teacher}", "contrastive={weight: 0.05}",
    "alignment={features: teacher, feature_width: 6, after_block: 1, projector: 8}", "diffusion.time_shift=4",
    "stages[0].path_drop_per=batch", "stages[0].path_drop=0.5",
  ]

  /// If this fails, the sample before a rank's first one is not that of the global batch, or a decision for a whole
  /// batch differs between ranks.
  @Test(
    "With SR-DiT's parts losses and weights are the same on any number of ranks, with accumulation, and resumed")
  func parts() throws {
    let one = try run("1", ranks: 1, Self.parts)
    let names = ["loss", "alignment", "class_token", "contrast", "gradient_norm"]
    let expected = try names.map { try numbers("1", $0) }
    #expect(expected.allSatisfy { $0.count == 10 && $0.allSatisfy { $0 != 0 } })
    for (ranks, accumulate) in [(2, 1), (3, 1), (1, 4)] {
      let settings = Self.parts + ["stages[0].accumulate=\(accumulate)"]
      let name = "\(ranks) \(accumulate)"
      _ = try run(name, ranks: ranks, settings, until: 5)
      let many = try run(name, ranks: 4 - ranks, settings)
      for (column, expected) in zip(names, expected) {
        for (a, b) in zip(try numbers(name, column), expected) {
          #expect(abs(a - b) < 1e-5 * max(abs(b), 0.1), "\(name), \(column)")
        }
      }
      #expect(distance(many.state[0], one.state[0]) < 1e-4 && distance(many.state[1], one.state[1]) < 1e-4)
    }
  }

  private func numbers(_ name: String, _ column: String) throws -> [Double] {
    let text = try String(contentsOfFile: RunFolder(path: folder.file(name)).metrics, encoding: .utf8)
    return try text.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["loss"] == nil ? nil : object?[column] as? Double
    }
  }

  @Test(
    "The same run twice on the same number of ranks has the same bits, in both precisions", arguments: [2, 3],
    Precision.allCases)
  func repeatability(ranks: Int, precision: Precision) throws {
    let settings = ["precision=\(precision.rawValue)"]
    #expect(try run("a", ranks: ranks, settings).state == run("b", ranks: ranks, settings).state)
  }

  /// If this fails, ranks compute with other weights than those of the checkpoint, or with different ones.
  @Test(
    "bfloat16 trains the same weights on any number of ranks, sharded or not, close to those of float32")
  func precision() throws {
    let exact = try run("float32", ranks: 1)
    let one = try run("1", ranks: 1, ["precision=bfloat16"])
    let error = distance(one.state[2], exact.state[2])
    #expect(error > 1e-4 && error < 0.1, "first moments differ by \(error)")
    for ranks in [2, 3] {
      for sharded in [true, false] {
        let name = "\(ranks) \(sharded)"
        let many = try run(name, ranks: ranks, ["precision=bfloat16", "distribution.sharded=\(sharded)"])
        #expect(distance(many.state[0], one.state[0]) < 0.02, "\(name)")
        #expect(try losses(name).map(\.step) == Array(1...10))
      }
    }
  }

  @Test("A run goes on in the other precision, and says so")
  func otherPrecision() throws {
    for (before, after) in [(Precision.float32, Precision.bfloat16), (.bfloat16, .float32)] {
      let name = before.rawValue
      let first = try run(name, ranks: 2, ["precision=\(before.rawValue)"], until: 5)
      let (settings, said) = (
        ["precision=\(after.rawValue)"], "`precision` was \(name), now \(after.rawValue), from step 6 on"
      )
      #expect(try run(name, ranks: 2, settings, until: 5).state == first.state, "not what was saved")
      let second = try run(name, ranks: 2, settings)
      #expect(second.end == .finished && second.notes.contains { $0.contains(said) })
    }
  }

  @Test("bfloat16 on the wire changes the weights a little, and all ranks still have the same weights")
  func bfloat16() throws {
    let exact = try run("f32", ranks: 2)
    for sharded in [true, false] {
      let rounded = try run("bf16 \(sharded)", ranks: 2, ["distribution={wire: bf16, sharded: \(sharded)}"])
      // AdamW turns small differences of small gradients into whole steps; the moments show the gradients themselves.
      let error = distance(rounded.state[2], exact.state[2])
      #expect(error > 1e-5 && error < 0.05, "first moments differ by \(error)")
    }
  }

  @Test("Accumulated parts are reduced once a step and give the gradients of the whole batch")
  func accumulation() throws {
    let whole = try run("whole", ranks: 2)
    let parts = try run("parts", ranks: 2, ["stages[0].accumulate=4", "stages[1].accumulate=7"])
    #expect(distance(parts.state[2], whole.state[2]) < 1e-3)
  }

  @Test(
    "A checkpoint saved in the foreground, without a snapshot, holds the same state", arguments: [1, 3],
    Precision.allCases)
  func foreground(ranks: Int, precision: Precision) throws {
    let states = try [true, false].map { background in
      let (name, settings) = (
        "background \(background)", ["checkpoint.background=\(background)", "precision=\(precision.rawValue)"]
      )
      #expect(try run(name, ranks: ranks, settings, until: 5).end == .reachedStep)
      let loaded = try run(name, ranks: ranks, settings, until: 5).state
      return [loaded, try run(name, ranks: ranks, settings).state]
    }
    #expect(states[0] == states[1] && states[0][0] != states[0][1])
  }

  @Test("A run resumed on another number of ranks starts from the same bits and ends with the same losses")
  func otherRankCount() throws {
    let whole = try run("whole", ranks: 1)
    for (before, after) in [(2, 1), (2, 3), (4, 2), (1, 4)] {
      let name = "\(before) to \(after)"
      let first = try run(name, ranks: before, until: 4)
      #expect(first.end == .reachedStep)
      // The second run has nothing left to do: it loads the state and ends.
      #expect(try run(name, ranks: after, until: 4).state == first.state, "\(name): not what was saved")
      let second = try run(name, ranks: after)
      #expect(second.end == .finished && distance(second.state[0], whole.state[0]) < 1e-4)
      #expect(try losses(name).map(\.step) == Array(1...10))
    }
  }

  @Test(
    "A run stopped at any step, the stage switch included, ends in the bits of an uninterrupted run",
    arguments: zip(Precision.allCases, ["ema", "model"]))
  func stops(precision: Precision, start: String) throws {
    let settings = ["stages[1].start_from=\(start)", "precision=\(precision.rawValue)"]
    let whole = try run("whole", ranks: 2, settings)
    for last in 1..<10 {
      let name = "stopped at \(last)"
      #expect(try run(name, ranks: 2, settings, until: last).end == .reachedStep)
      #expect(try run(name, ranks: 2, settings).state == whole.state, "\(name)")
    }
  }

  @Test("A signal at any rank stops all of them after the same step, with a checkpoint", arguments: [0, 1, 2])
  func signal(rank: Int) throws {
    let stopped = try run("s", ranks: 3) { $0 == rank && $1 == nil }
    #expect(stopped.end == .interrupted && stopped.notes.contains { $0.contains("a signal reached rank \(rank)") })
    #expect(try losses("s").map(\.step) == [1])
    #expect(try run("s", ranks: 3).state == run("whole", ranks: 3).state)
  }

  @Test("A signal during validation or drawing stops the run there; resuming makes up for what was left out")
  func signalInLoops() throws {
    let settings = ["stages[0].plateau={patience: 1, threshold: 0.9}", "samples.interval=4"]
    let whole = try run("whole", ranks: 2, settings)
    #expect(whole.end == .finished && whole.notes.contains { $0.contains("has reached its plateau") })
    func stop(after kind: @escaping (TrainingEvent) -> Bool) throws {
      let name = UUID().uuidString
      var isFirst = true
      let stopped = try run(name, ranks: 2, settings) { _, event in
        guard let event, isFirst, kind(event) else { return false }
        isFirst = false
        return true
      }
      #expect(stopped.end == .interrupted)
      #expect(try run(name, ranks: 2, settings).state == whole.state)
      let log = try String(contentsOfFile: RunFolder(path: folder.file(name)).metrics, encoding: .utf8)
      #expect(log.split(separator: "\n").count { $0.contains("validation_loss") && $0.contains("\"step\": 4,") } == 1)
      #expect(FileManager.default.fileExists(atPath: folder.file("\(name)/samples/step-000000004.png")))
    }
    try stop { if case .step(let step) = $0 { step.position.step == 4 } else { false } }
    try stop { if case .validation(let step, _) = $0 { step == 4 } else { false } }
  }

  @Test("A file `stop` and a deadline end the run with a checkpoint; the file is removed")
  func stopFileAndDeadline() throws {
    let whole = try run("whole", ranks: 2)
    try FileManager.default.createDirectory(atPath: folder.file("f"), withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: folder.file("f/stop")))
    #expect(try run("f", ranks: 2).end == .interrupted)
    #expect(!FileManager.default.fileExists(atPath: folder.file("f/stop")))
    #expect(try run("f", ranks: 2, deadline: .now + .seconds(0.1)).end == .interrupted)
    #expect(try losses("f").map(\.step) == [1, 2])
    #expect(try run("f", ranks: 2, deadline: .now + .seconds(3600)).state == whole.state)
  }

  @Test("What is due after a step comes in this order: the save, the validation, the picture")
  func order() throws {
    var seen: [String] = []
    let settings = [
      "checkpoint={interval: 5, background: false}", "validation.interval=5", "samples.interval=5",
    ]
    _ = try run("order", ranks: 1, settings, until: 5) { _, event in
      switch event {
      case .checkpoint: seen.append("save")
      case .validation: seen.append("validate")
      case .samples: seen.append("draw")
      default: break
      }
      return false
    }
    #expect(seen == ["save", "validate", "draw"])
  }

  @Test("A stop in the last step is no end: the next start validates and draws what it left out", arguments: [1, 2])
  func stopInTheLastStep(ranks: Int) throws {
    let whole = try run("whole", ranks: ranks)
    func isLastStep(_ event: TrainingEvent?) -> Bool {
      if case .step(let step) = event { step.position.step == 9 } else { false }
    }
    let stopped = try run("last", ranks: ranks) { _, event in isLastStep(event) }
    #expect(stopped.end == .interrupted && stopped.state == whole.state)
    #expect(!FileManager.default.fileExists(atPath: folder.file("last/samples/step-000000010.png")))
    let resumed = try run("last", ranks: ranks)
    #expect(resumed.end == .finished && resumed.state == whole.state)
    #expect(try validations("last") == validations("whole"))
    #expect(FileManager.default.fileExists(atPath: folder.file("last/samples/step-000000010.png")))
    #expect(try run("last", ranks: ranks).end == .finished)
    #expect(try validations("last") == validations("whole"), "a finished run is not validated again")
  }

  private func validations(_ name: String) throws -> [String] {
    let text = try String(contentsOfFile: RunFolder(path: folder.file(name)).metrics, encoding: .utf8)
    return text.split(separator: "\n").map(String.init).filter { $0.contains("validation_loss") }
  }

  @Test("A deadline that comes near during a long validation stops it; the state is saved, and the run goes on later")
  func deadlineDuringValidation() throws {
    let whole = try run("whole", ranks: 2)
    var hasSlept = false
    let settings = ["validation={interval: 4, samples: 70}"]
    let deadline = ContinuousClock.now + .seconds(8)
    let stopped = try run("slow", ranks: 2, settings, deadline: deadline) { rank, event in
      // The run is slow where nobody expects it: right before its first validation.
      if rank == 0, case .step(let step) = event, step.position.step == 4, !hasSlept {
        hasSlept = true
        Thread.sleep(forTimeInterval: (deadline - .now) / .seconds(1) - 0.45)
      }
      return false
    }
    #expect(hasSlept && stopped.end == .interrupted)
    #expect(stopped.notes.contains { $0.contains("the deadline leaves time for one save") })
    #expect(try losses("slow").last?.step == 4 && validations("slow").isEmpty)
    #expect(try run("slow", ranks: 2, settings).state == whole.state)
    #expect(try validations("slow") == validations("whole"))
  }

  @Test("Checkpoints of every n-th step are kept, besides the last ones")
  func keptForEver() throws {
    _ = try run("k", ranks: 2, ["checkpoint={interval: 1, keep: 2, keep_every: 4}"])
    let files = try CheckpointStore(RunFolder(path: folder.file("k"))).candidates()
    #expect(files.map { String($0.suffix(5).prefix(2)) } == ["10", "09", "08", "04"])
  }

  @Test("If one rank's data is gone, all ranks end and rank zero says why")
  func missingData() throws {
    let configuration = try configuration([])
    let bad = try self.configuration(["data.train=[\(folder.file("gone.h5"))]"])
    let messages = try Ranks.run(3) { communicator in
      do {
        _ = try Trainer(
          communicator.rank == 1 ? bad : configuration, folder: RunFolder(path: folder.file("m")), resume: .auto,
          communicator: communicator
        ) { _ in }
        return "started"
      } catch { return "\(error)" }
    }
    #expect(messages[0].hasPrefix("rank 1: ") && messages[0].contains("gone.h5"))
    #expect(!messages.contains("started") && !FileManager.default.fileExists(atPath: folder.file("m")))
  }

  @Test("A batch with fewer samples than ranks is refused")
  func tooManyRanks() throws {
    #expect { _ = try run("t", ranks: 8) } throws: { "\($0)".contains("a batch of 7 for 8 ranks") }
  }

  @Test("Ranks draw the images that one process draws")
  func sampling() throws {
    _ = try run("r", ranks: 2)
    func draw(_ ranks: Int, from first: Int) throws -> [[Float]] {
      try Ranks.run(ranks) { communicator in
        let trained = try TrainedModel(
          { try WeightsSource(TrainedModel.newestCheckpoint(run: folder.file("r")), .ema) }, workers: .init(1),
          communicator)
        let generator = trained.generator(trained.configuration.samples.sampler, seed: 1)
        var images: [[Float]] = []
        _ = try generator.draw(labels: (0..<700).map { $0 % 3 }, from: first * generator.tile, communicator) {
          images += $0
        }
        return images
      }[0]
    }
    let one = try draw(1, from: 0)
    #expect(one.count == 700)
    for ranks in [2, 3] { #expect(try draw(ranks, from: 0) == one) }
    let rest = try draw(2, from: 3)
    #expect(rest.count < 700 && rest == Array(one.suffix(rest.count)))
  }
}

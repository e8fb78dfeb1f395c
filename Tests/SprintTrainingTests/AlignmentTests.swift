import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

/// Training with a teacher's features and attention, and how it ends.
@Suite(.timeLimit(.minutes(5))) struct AlignmentTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let random = Philox(seed: 4, purpose: .noise)
    func normal(_ count: Int, _ draw: UInt64) -> [Float] {
      var values = [Float](repeating: 0, count: count)
      values.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: draw) }
      return values
    }
    let (latents, features) = (normal(320, 0), normal(20 * 16 * 4, 1))
    let maps = normal(20 * 2 * 2 * 256, 2).map { $0 * $0 }
    // Divided by the sum of each row of 16.
    let rows = stride(from: 0, to: maps.count, by: 16).map { maps[$0..<$0 + 16].reduce(0, +) }
    for (name, sign) in [("data", Float(1)), ("opposed", -1)] {
      try DatasetFile.write(
        folder.file("\(name).h5"), shape: [20, 1, 4, 4], values: latents, labels: (0..<20).map { Int64($0 % 3) },
        features: ("teacher", [20, 16, 4], features.map { sign * $0 }),
        more: [
          ("/attention/teacher", [20, 2, 2, 16, 16], maps.enumerated().map { $1 / rows[$0 / 16] })
        ])
    }
  }

  private static let features = "features: teacher, feature_width: 4, projector: 8, after_block: 2"
  private static let attention = "attention: {teacher: teacher, blocks: [2, 1], weight: 0.5}"

  private func configuration(_ alignment: String?, _ settings: [String] = [], data: String = "data") throws
    -> Configuration
  {
    try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml",
        settings: [
          "data.train=[\(folder.file("\(data).h5"))]", "threads=1", "checkpoint={interval: 3, keep: 20}",
          "stages[0].steps=6", "stages[1].steps=4", "stages[0].learning_rate=0.01", "stages[1].batch=4",
        ] + (alignment.map { ["alignment={\($0)}"] } ?? []) + settings))
  }

  /// The whole training state, part by part.
  private func state(_ trainer: Trainer) throws -> [TrainingPart: [Float]] {
    let state = try #require(try trainer.state())
    return withExtendedLifetime(state) {
      Dictionary(uniqueKeysWithValues: TrainingPart.allCases.map { ($0, state[$0].elements.array) })
    }
  }

  private func trainer(
    _ run: String, _ configuration: Configuration, _ communicator: Communicator = .single(), isDisturbed: Bool = false,
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> Trainer {
    try Trainer(
      configuration, folder: RunFolder(path: folder.file(run)), resume: .auto, communicator: communicator,
      start: isDisturbed ? disturb : nil, report: report)
  }

  /// Moves initial weights away from the zeros, behind which nothing has a gradient.
  private func disturb(_ weights: ParameterArena<Float>) {
    let noise = Arena(count: weights.elements.count)
    Philox(seed: 9, purpose: .gradientCheck).fillNormal(noise.elements.buffer, draw: 0)
    for i in 0..<weights.elements.count { weights.elements[i] += 0.1 * noise.elements[i] }
  }

  /// The numbers of a name in the log of a run, by step.
  private func numbers(_ name: String, _ run: String) throws -> [Int: Double] {
    let text = try String(contentsOfFile: RunFolder(path: folder.file(run)).metrics, encoding: .utf8)
    var numbers: [Int: Double] = [:]
    for line in text.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      if let step = object?["step"] as? Int, let number = object?[name] as? Double { numbers[step] = number }
    }
    return numbers
  }

  /// If this fails, what a teacher once said still changes a run that has ended its alignment.
  @Test("After its end a run is the same to the bit as one that has no alignment from there on")
  func afterTheEnd() throws {
    let aligned = try configuration("\(Self.attention), last_step: 3")
    let first = try trainer("a", aligned)
    #expect(try first.run(until: 3, stop: StopRequest()) == .reachedStep)
    let state = try #require(try first.state())
    let newest = try #require(try CheckpointStore(RunFolder(path: folder.file("a"))).newest()).checkpoint
    let never = try configuration(nil)
    let other = RunFolder(path: folder.file("b"))
    try FileManager.default.createDirectory(atPath: other.checkpoints, withIntermediateDirectories: true)
    try Checkpoint.write(
      newest.position, never, newest.data, to: "\(other.checkpoints)/step-000000003.h5"
    ) { state[$0] }
    let (one, two) = (try trainer("a", aligned), try trainer("b", never))
    #expect(try one.run(stop: StopRequest()) == .finished && two.run(stop: StopRequest()) == .finished)
    let (ends, others) = (try self.state(one), try self.state(two))
    for part in TrainingPart.allCases {
      #expect(ends[part] == others[part], "\(part)")
    }
    let losses = try numbers("attention", "a")
    #expect((1...10).map { losses[$0] != 0 } == (1...10).map { $0 <= 3 })
  }

  /// If this fails, momentum or weight decay moves a projector that nobody uses.
  @Test("A projector rests after the end of its alignment, and only its average goes on")
  func projectorRests() throws {
    let configuration = try configuration(
      "\(Self.features), \(Self.attention), last_step: 3", ["optimizer.weight_decay=0.1"])
    let first = try trainer("a", configuration)
    _ = try first.run(until: 3, stop: StopRequest())
    let before = try state(first)
    let second = try trainer("a", configuration)
    _ = try second.run(until: 6, stop: StopRequest())
    let after = try state(second)
    for parameter in second.network.layout.parameters {
      let rests = parameter.name.hasPrefix("projectors")
      for part in [TrainingPart.weights, .firstMoment, .secondMoment] where parameter.isTrained {
        #expect((before[part]?[parameter.range] == after[part]?[parameter.range]) == rests, "\(parameter.name) \(part)")
      }
    }
    let projector = try #require(second.network.layout.parameter("projectors.0.weight"))
    #expect(before[.average]?[projector.range] != after[.average]?[projector.range])
  }

  /// The data set of which the first measurement finds the gradients opposed, and its cosine.
  private func conflict(_ angle: String) throws -> (data: String, other: String, cosine: Double) {
    var cosines: [String: Double] = [:]
    for data in ["data", "opposed"] {
      let configuration = try configuration(
        "\(Self.features), angle: {\(angle), threshold: -1}", ["stages[0].learning_rate=1e-7"], data: data)
      _ = try trainer("probe \(data)", configuration, isDisturbed: true).run(until: 3, stop: StopRequest())
      cosines[data] = try numbers("gradient_cosine", "probe \(data)")[2]
    }
    let (data, opposed) = (try #require(cosines["data"]), try #require(cosines["opposed"]))
    // The gradient of the alignment changes its sign with the features.
    #expect(abs(data + opposed) < 1e-4 && abs(data) > 1e-3, "\(cosines)")
    return data < 0 ? ("data", "opposed", data) : ("opposed", "data", opposed)
  }

  /// If this fails, alignment ends where it helps, or goes on where it hurts, or each rank has its own opinion.
  @Test(
    "The angle ends the alignment on a conflict and never on an agreement, at the same step on any number of ranks",
    arguments: [1, 2, 3])
  func angle(ranks: Int) throws {
    // So many images that two measurements of resting weights agree.
    let rule = "block: 1, first_step: 2, interval: 2, images: 100, times: [0.1, 0.6]"
    let conflict = try conflict(rule)
    let rates = ["stages[0].learning_rate=1e-7", "stages[0].steps=10"]
    for (data, end) in [(conflict.data, 2), (conflict.other, 10)] {
      let configuration = try configuration(
        "\(Self.features), angle: {\(rule), threshold: \(conflict.cosine / 2)}", rates, data: data)
      let notes = try Ranks.run(ranks) { communicator -> Int in
        var ends = 0
        let trainer = try trainer(data, configuration, communicator, isDisturbed: true) {
          if case .note(let text) = $0, text.contains("the alignment ends here") { ends += 1 }
        }
        #expect(try trainer.run(until: 10, stop: StopRequest()) == .reachedStep)
        return ends
      }
      #expect(notes[0] == (end == 10 ? 0 : 1))
      let losses = try numbers("alignment", data)
      #expect((1...10).map { losses[$0] != 0 } == (1...10).map { $0 <= end }, "\(data)")
    }
  }

  /// If this fails, an interruption changes when the alignment ends.
  @Test("A run that is interrupted before or after its alignment ends goes on to the same bits", arguments: [2, 3, 7])
  func resume(step: Int) throws {
    let rule = "block: 1, first_step: 2, interval: 2, images: 20"
    let conflict = try conflict(rule)
    let configuration = try configuration(
      "\(Self.features), \(Self.attention), angle: {\(rule), threshold: 1}", data: conflict.data)
    let straight = try trainer("straight", configuration)
    #expect(try straight.run(stop: StopRequest()) == .finished)
    _ = try trainer("resumed", configuration).run(until: step, stop: StopRequest())
    let resumed = try trainer("resumed", configuration)
    #expect(try resumed.run(stop: StopRequest()) == .finished)
    let (expected, found) = (try state(straight), try state(resumed))
    for part in TrainingPart.allCases { #expect(expected[part] == found[part]) }
    #expect(try numbers("gradient_cosine", "resumed").keys.sorted() == [2])
    #expect(try numbers("gradient_cosine", "straight") == numbers("gradient_cosine", "resumed"))
  }

  @Test("A signal in a measurement ends the run there, and the next start measures again")
  func interruptedMeasurement() throws {
    let configuration = try configuration(
      "\(Self.features), angle: {block: 1, first_step: 2, interval: 2, images: 20, threshold: 1}")
    let stop = StopRequest()
    let first = try trainer("a", configuration) {
      if case .step(let step) = $0, step.position.step == 2 { stop.request() }
    }
    // The signal arrives after rank zero has decided about step 2.
    #expect(try first.run(stop: stop) == .interrupted)
    let second = try trainer("a", configuration)
    #expect(try second.run(until: 3, stop: StopRequest()) == .reachedStep)
    #expect(try numbers("gradient_cosine", "a").keys.sorted() == [2])
  }

  @Test("A teacher's attention that does not fit the configuration is refused before anything is written")
  func misfit() throws {
    for (attention, problem) in [
      ("attention: {teacher: nobody, blocks: [1]}", "holds neither /attention/nobody nor /queries/nobody"),
      ("attention: {teacher: teacher, blocks: [1]}", "attention of 2 layers"),
    ] {
      #expect { try trainer("m", configuration(attention)) } throws: { "\($0)".contains(problem) }
      #expect(!FileManager.default.fileExists(atPath: folder.file("m")))
    }
  }
}

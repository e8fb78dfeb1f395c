import Foundation
import SprintDiffusion
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct ConfigurationTests {
  static let valid = """
    seed: 7
    model:
      width: 16
      heads: 2
      depth: [1, 1, 1]
      side: 4
      channels: 1
      patch: 1
      classes: 3
    data:
      train: [some.h5]
    stages:
      - steps: 10
        batch: 4
        drop: { ratio: 0.75 }
      - steps: 5
        batch: 2
        learning_rate: 3.0e-4
        drop: { kind: none }
    """

  private func read(_ text: String, _ settings: [String] = []) throws -> Configuration {
    try Configuration(
      ConfigurationDocument(text: text, source: "c.yaml", settings: settings, settingsName: "--set"))
  }

  @Test("Values that are given are read, values that are left out are the published ones")
  func defaults() throws {
    let configuration = try read(Self.valid)
    #expect(
      configuration.seed == 7 && configuration.totalSteps == 15
        && configuration.stages[0].drop == .structured(group: 2, kept: 1))
    #expect(
      configuration.stages[1].drop == .none && configuration.stages[1].learningRate == 3e-4
        && configuration.stages[0].learningRate == 1e-4)
    #expect(
      configuration.stages[0].ema == 0.9999 && configuration.stages[1].start == .ema && configuration.clip == 1
        && configuration.model.mlpRatio == 4)
    let without = Self.valid.split(separator: "stages:").first.map(String.init) ?? ""
    #expect(try read(without).stages == Stage.published)
  }

  @Test("A setting replaces a value, with the index after a dot or in brackets, and adds sections that were left out")
  func settings() throws {
    let configuration = try read(
      Self.valid, ["stages[0].steps=3", "stages.1.batch=9", "checkpoint.interval=2", "data.train=[a.h5,b.h5]"])
    #expect(
      configuration.stages[0].steps == 3 && configuration.stages[1].batch == 9 && configuration.checkpoint.interval == 2
        && configuration.data.train == ["a.h5", "b.h5"])
    #expect(
      try read(configuration.text).entries.map(\.value) == configuration.entries.map(\.value),
      "the saved text gives the same values")
  }

  @Test(
    "A mistake gives one line with the key, its place and a remedy",
    arguments: [
      (["stages[0].step=3"], "--set stages[0].step", "did you mean `steps`?"),
      (["modle.width=3"], "--set modle", "did you mean `model`?"),
      (["stages[0].steps=many"], "--set stages[0].steps", "from 1 to 1_000_000_000_000"),
      (["stages[0].steps=-1"], "--set stages[0].steps", "from 1 to 1_000_000_000_000"),
      (["stages[0].steps=9223372036854775807"], "--set stages[0].steps", "from 1 to 1_000_000_000_000"),
      (["stages[0].warmup=9223372036854775807"], "--set stages[0].warmup", "from 0 to 1_000_000_000_000"),
      (["stages[0].accumulate=9223372036854775807"], "--set stages[0].accumulate", "from 1 to 1_000_000"),
      (["stages[0].drop={group: 9223372036854775807, kept: 1}"], "stages[0].drop.group", "from 1 to 4096"),
      (["stages[0].steps=1000000000000", "stages[0].batch=1000000"], "stages", "more than the 2^53"),
      (["stages[0].learning_rate=1e300"], "--set stages[0].learning_rate", "at most 1e30"),
      (["model.width=10000000000"], "--set model.width", "from 1 to 65_536"),
      (["model.depth=[1,9223372036854775807,1]"], "--set model.depth", "from 0 to 1000"),
      (["model.depth=[1,-1,1]"], "--set model.depth", "from 0 to 1000"),
      (["model.mlp_ratio=1e300"], "--set model.mlp_ratio", "at most 64"),
      (["model.rope_theta=1e300"], "--set model.rope_theta", "from 0.001 to 1e12"),
      (["checkpoint.keep=9223372036854775807"], "--set checkpoint.keep", "from 0 to 1_000_000"),
      (["checkpoint.keep_every=9223372036854775807"], "--set checkpoint.keep_every", "from 1 to 1_000_000_000_000"),
      (["validation.samples=9223372036854775807"], "--set validation.samples", "from 1 to 1_000_000_000_000"),
      (["samples.classes=[9223372036854775807]"], "--set samples.classes", "from 0 to 1_000_000"),
      (["samples.scale=1e308"], "--set samples.scale", "from -1000 to 1000"),
      (["optimizer.epsilon=1e-300"], "--set optimizer.epsilon", "from 1e-30 to 1"),
      (["distribution.timeout=1e300"], "--set distribution.timeout", "from 5 to 1e6"),
      (["stages[0].path_drop=1.5"], "--set stages[0].path_drop", "from 0 to 1"),
      (["stages[0].drop={group: 3, kept: 1}"], "stages[0].drop", "does not divide the 4 x 4 token grid"),
      (["stages[0].drop={ratio: 0.3}"], "stages[0].drop.ratio", "kind: random"),
      (["stages[0].accumulate=3"], "stages[0].accumulate", "does not divide the batch of 4"),
      (["model.heads=3"], "model.heads", "does not divide the width 16"),
      (["model.heads=8"], "model.heads", "multiple of 4"),
      (["model.patch=3"], "model.patch", "does not divide the latent side 4"),
      (["model.fusion=sum"], "model.fusion", "concat_linear, concat_linear_shallow_first, none"),
      (["model.depth=[1,2]"], "model.depth", "expected three"),
      (["model.size=XXL"], "model.size", "S, B, L, XL"),
      (["data.train=[]"], "data.train", "is missing"),
      (["data=3"], "data", "mapping"),
      (["non_finite=ignore"], "non_finite", "stop, skip"),
      (["samples.classes=[3]"], "samples.classes", "names class 3"),
      (["model.classes=0", "samples.classes=[1]"], "samples.classes", "names class 1"),
      (["model.classes=0", "samples.guidance=cfg"], "samples.guidance", "the model has `classes: 0`"),
      (["model.fusion=none", "samples.guidance=pdg"], "samples.guidance", "needs two paths"),
      (["alignment={features: f, feature_width: 4, after_block: 9}"], "after_block", "3 blocks"),
      (["alignment={weight: 1}"], "features", "missing"),
      (["alignment={attention: {blocks: [1]}}"], "teacher", "missing"),
      (["alignment={attention: {teacher: t, blocks: [4]}}"], "blocks", "different blocks; the model has 3"),
      (["alignment={attention: {teacher: t, blocks: [2, 2]}}"], "blocks", "different blocks"),
      (["alignment={attention: {teacher: t, blocks: [2], heads: 3}}"], "heads", "is 3, expected 1 to 2"),
      (["alignment={attention: {teacher: t, blocks: [2]}, angle: {block: 3}}"], "block", "reach blocks 1 to 2"),
      (["alignment={attention: {teacher: t, blocks: [2]}, angle: {block: 1, times: [2]}}"], "times", "from 0 to 1"),
      (["model.class_token=4"], "class_token", "class_token: {teacher: dinov2-b}"),
      (["class_token={teacher: t}"], "class_token", "model.class_token"),
      (["model.class_token=0"], "model.class_token", "from 1 to"),
      (
        [
          "model.class_token=4", "class_token={teacher: t}",
          "alignment={attention: {teacher: t, blocks: [2]}}",
        ], "blocks", "no counterpart"
      ),
      (["model.value_residual=true", "model.depth=[0, 2, 1]"], "value_residual", "block before the drop"),
      (["model.norm=batch"], "model.norm", "layer, rms"),
      (["model.mask_token=zero"], "model.mask_token", "learned_from_zero"),
      (["contrastive={weight: 1}"], "contrastive.weight", "below 1"),
      (["diffusion.time_shift=0.5"], "diffusion.time_shift", "or 0 for no shift"),
      (["stages[0].path_drop_per=rank"], "path_drop_per", "sample, batch"),
      (["stages[7].steps=3"], "--set stages[7].steps", "no entry 7"),
      (["steps"], "--set steps", "key=value"),
    ])
  func mistakes(settings: [String], place: String, remedy: String) throws {
    #expect { try read(Self.valid, settings) } throws: { error in
      let text = "\(error)"
      return text.contains(place) && text.contains(remedy) && !text.contains("\n")
    }
  }

  @Test(
    "What a mistake's message tells to do, works",
    arguments: [
      (
        ["stages[0].final_rate=0.1", "stages[0].learning_rate_schedule=constant"], "leave out one",
        ["stages[0].final_rate=null"]
      ),
      (
        ["compute_budget=1e12", "stages[0].share=0.5"], "give one of them", ["stages[0].steps=null"]
      ),
      (["stages[0].drop={ratio: 0.3}"], "kind: random", ["stages[0].drop={kind: random, ratio: 0.3}"]),
      (["stages[0].drop={ratio: 0.3}"], "give group and kept", ["stages[0].drop={group: 2, kept: 3}"]),
    ])
  func remedies(mistake: [String], told: String, mended: [String]) throws {
    #expect { try read(Self.valid, mistake) } throws: { "\($0)".contains(told) }
    #expect(throws: Never.self) { try read(Self.valid, mistake + mended) }
  }

  @Test("Errors name the line of a key in the file")
  func lines() throws {
    let text = Self.valid.replacing("  heads: 2", with: "  heads: two")
    #expect { try read(text) } throws: { "\($0)".hasPrefix("c.yaml:4: `model.heads` is `two`") }
    let unknown = Self.valid.replacing("    batch: 2", with: "    bach: 2")
    #expect { try read(unknown) } throws: {
      "\($0)".hasPrefix("c.yaml:17: `stages[1].bach`") && "\($0)".contains("`batch`")
    }
    #expect { try read("a: [1") } throws: { "\($0)".contains("not valid YAML") && !"\($0)".contains("\n") }
    #expect { try read("") } throws: { "\($0)".contains("missing") }
  }

  @Test("A resumed run may change what neither the state's shape nor the order of samples depends on; output is free")
  func changes() throws {
    let configuration = try read(Self.valid)
    func keys(_ settings: [String]) throws -> (changes: [String], refusals: [String]) {
      let other = try read(Self.valid, settings)
      return (other.changes(since: configuration).map(\.key), other.refusals(since: configuration).map(\.key))
    }
    for free in ["checkpoint.interval=3", "threads=2", "log.interval=1", "validation.interval=7", "stages[0].name=a"] {
      #expect(try keys([free]) == ([], []), "\(free)")
    }
    for changed in [
      "stages[0].learning_rate=0.1", "stages[1].steps=9", "stages[0].batch=2", "non_finite=skip", "optimizer.clip=2",
      "precision=bfloat16", "data.flip=true", "distribution.wire=bf16", "stages[0].label_drop=0",
      "diffusion.time=uniform",
    ] {
      let key = String(changed.prefix { $0 != "=" })
      #expect(try keys([changed]) == ([key], []))
    }
    for fixed in ["seed=8", "model.width=32", "diffusion.path=cosine", "model.mask_token=learned"] {
      #expect(try keys([fixed]) == ([], [String(fixed.prefix { $0 != "=" })]))
    }
    let longer = "stages=[{steps: 10, batch: 4, drop: {ratio: 0.75}}]"
    #expect(try keys([longer]).changes == ["stages[1]"], "a stage less is one change")
  }

  @Test(
    "The learning rate rises over the warm-up and falls linearly to its final share; the average's decay warms up too")
  func schedule() throws {
    let stage = try read(
      Self.valid,
      [
        "stages[0].warmup=4", "stages[0].final_rate=0.1", "stages[0].learning_rate=1.0", "stages[0].ema=0.5",
        "stages[0].ema_warmup=true",
      ]
    ).stages[0]
    #expect((0..<4).map(stage.learningRate(at:)) == [0.25, 0.5, 0.75, 1])
    #expect(stage.learningRate(at: 4) == 1 && abs(stage.learningRate(at: 9) - 0.1) < 1e-12)
    #expect(stage.emaDecay(at: 0) == 0.1 && stage.emaDecay(at: 2) == 0.25 && stage.emaDecay(at: 100) == 0.5)
  }

  @Test("After the warm-up the learning rate stays, or falls along a line or a cosine; other words are errors")
  func schedules() throws {
    func rates(_ schedule: String, _ more: [String] = []) throws -> [Double] {
      let settings = ["learning_rate=2.0", "learning_rate_schedule=\(schedule)"] + more
      let stage = try read(Self.valid, settings.map { "stages[0].\($0)" }).stages[0]
      return [0, 3, 9].map(stage.learningRate(at:))
    }
    #expect(try rates("constant") == [2, 2, 2])
    let linear = try rates("linear", ["final_rate=0.1"])
    #expect(linear[0] == 2 && abs(linear[1] - 1.4) < 1e-12 && abs(linear[2] - 0.2) < 1e-12)
    let cosine = try rates("cosine", ["final_rate=0.1"])
    // A third of the way along half a period: (1 + cos 60°) / 2 is three quarters.
    #expect(cosine[0] == 2 && abs(cosine[1] - 1.55) < 1e-12 && abs(cosine[2] - 0.2) < 1e-12)
    #expect { try rates("constant", ["final_rate=0.1"]) } throws: { "\($0)".contains("leave out one") }
    #expect { try rates("steep") } throws: { "\($0)".contains("one of constant, linear, cosine") }
  }

  @Test("Another decay of the average for the first updates, and what a configuration without it means")
  func earlyAverage() throws {
    let stage = try read(Self.valid, ["stages[0].early_ema=0.5", "stages[0].early_ema_updates=3"]).stages[0]
    #expect([0, 2, 3].map(stage.emaDecay(at:)) == [0.5, 0.5, 0.9999])
    let own = try read(Self.valid, ["stages[1].ema=0.9", "stages[1].warmup=10"]).stages[1]
    #expect(own.emaDecay(at: 0) == 0.9 && own.learningRate(at: 0) == 3e-4 / 10)
    #expect { try read(Self.valid, ["stages[0].early_ema=0.5"]) } throws: {
      "\($0)".contains("`stages[0].early_ema_updates` is missing")
    }
  }

  @Test("Guidance whose weak branch no stage trains is warned about, and so is nothing else")
  func guidanceWarning() throws {
    let both = ["stages[0].label_drop=0", "stages[1].label_drop=0", "stages[0].path_drop=0", "stages[1].path_drop=0"]
    func warning(_ guidance: Guidance, _ settings: [String]) throws -> String? {
      try read(Self.valid, settings).warning(about: guidance)
    }
    let some = try #require(try warning(Guidance(.classifierFree, scale: 2), Array(both.prefix(1))))
    #expect(some.contains("not always") && some.contains("`label_drop` is 0 in `masked`"))
    #expect(try warning(Guidance(.classifierFree, scale: 2), []) == nil)
    let begun = try read(Self.valid, Array(both.prefix(1))).warning(
      about: Guidance(.classifierFree, scale: 2), begun: 1)
    #expect(begun?.contains("never trained: `label_drop` is 0 in every stage so far") == true, "\(begun ?? "")")
    let cfg = try #require(try warning(Guidance(.classifierFree, scale: 2), both))
    #expect(cfg.contains("cfg") && cfg.contains("`label_drop` is 0"))
    let pdg = try #require(try warning(Guidance(.pathDrop, scale: 2), both))
    #expect(pdg.contains("`label_drop` is 0 in every stage and `path_drop` is 0"))
    #expect(try warning(Guidance(.pathDrop, scale: 2, keepsClass: true), Array(both.prefix(2))) == nil)
    let pictures = ["samples.interval=1", "samples.scale=2"]
    #expect(try read(Self.valid, pictures).sampleWarnings.first?.contains("set `samples.guidance`") == true)
    #expect(
      try read(Self.valid, ["samples={interval: 1, guidance: pdg}"]).sampleWarnings.first?.contains("`samples.scale`")
        == true)
    #expect(try read(Self.valid, pictures + ["samples.guidance=cfg"]).sampleWarnings.isEmpty)
    #expect(try warning(Guidance(.pathDrop, scale: 1), both) == nil && warning(Guidance(), both) == nil)
  }

  @Test("The random start's share of the average is the product of the decays, and nothing in later stages")
  func randomShare() throws {
    let configuration = try read(
      Self.valid, ["stages[0].ema=0.9", "stages[0].early_ema=0.5", "stages[0].early_ema_updates=1"])
    var position = TrainingPosition()
    #expect(configuration.randomShare(at: position) == 1)
    (position.stageStep, position.skipped) = (4, 1)
    #expect(abs(configuration.randomShare(at: position) - 0.5 * 0.9 * 0.9) < 1e-12)
    position.stageStep = 1 << 50
    #expect(configuration.randomShare(at: position) == 0, "and without a loop over so many updates")
    let warming = try read(Self.valid, ["stages[0].ema_warmup=true"]).stages[0]
    #expect(
      abs(warming.startShare(after: 3) - 0.1 * 2 / 11 * 3 / 12) < 1e-12 && warming.startShare(after: 1 << 50) < 1e-6)
    position.stage = 1
    #expect(configuration.randomShare(at: position) == 0)
  }

  @Test("A stage that takes a share of the compute budget has as many steps as that buys")
  func computeBudget() throws {
    let model = try read(Self.valid).model
    let step = 3 * model.forwardWork(kept: 4) * 4
    let shared = Self.valid.replacing("- steps: 10", with: "- share: 0.5")
    let configuration = try read(shared, ["compute_budget=\(step * 41)"])
    #expect(configuration.stages[0].steps == 20 && configuration.stages[1].steps == 5)
    #expect { try read(shared) } throws: { "\($0)".contains("compute_budget") }
    #expect { try read(Self.valid, ["compute_budget=1e15", "stages[0].share=0.5"]) } throws: {
      "\($0)".contains("give one of them")
    }
  }

  @Test("Settings of ranks, plateaus and kept checkpoints are read; a plateau needs held-out data")
  func distribution() throws {
    let configuration = try read(
      Self.valid,
      [
        "distribution={sharded: false, wire: bf16, timeout: 20}", "data.validation=[held.h5]",
        "stages[0].plateau={patience: 4}", "checkpoint={keep_every: 100, on_failure: stop}",
      ])
    #expect(
      !configuration.distribution.isSharded && configuration.distribution.wire == .bfloat16
        && configuration.distribution.timeout == 20)
    #expect(
      configuration.stages[0].plateau == Stage.Plateau(patience: 4, threshold: 0.001)
        && configuration.stages[1].plateau == nil)
    #expect(configuration.checkpoint.keepEvery == 100 && configuration.checkpoint.onFailure == .stop)
    let usual = try read(Self.valid)
    #expect(usual.distribution.isSharded && usual.distribution.wire == .float32 && usual.distribution.timeout == 60)
    #expect { try read(Self.valid, ["stages[0].plateau={patience: 4}"]) } throws: { "\($0)".contains("validation") }
    #expect { try read(Self.valid, ["distribution.timeout=1"]) } throws: { "\($0)".contains("distribution.timeout") }
  }

  @Test(
    "A document that grows without bounds, or nests too deep, is one line of error within a second",
    arguments: ["key", "value", "list", "setting", "deep", "long", "text"])
  func bombs(kind: String) {
    let levels = (1...9).map { "a\($0): &a\($0) [\(repeatElement("*a\($0 - 1)", count: 9).joined(separator: ", "))]" }
    let nested = (["a0: &a0 [x, x]"] + levels).joined(separator: "\n")
    let long = "b: &b \"\(String(repeating: "long text ", count: 1000))\"\n"
    let text =
      switch kind {
      case "key": nested + "\n? *a9\n: 1\n"
      case "value": nested + "\nseed: *a9\n"
      case "list": long + "c: [\(repeatElement("*b", count: 100_000).joined(separator: ", "))]\n"
      case "deep": "seed: " + String(repeating: "[", count: 100_000)
      case "long": String(repeating: "x", count: 1 << 19) + ": 1\n"
      case "text": "seed: " + String(repeating: "x", count: 1 << 21)
      default: "seed: 1\n"
      }
    let bomb = nested.split(separator: "\n").map { "\($0)" }.joined(separator: ", ")
    let settings = kind == "setting" ? ["seed={\(bomb), s: *a9}"] : []
    let began = ContinuousClock.now
    #expect { try read(text, settings) } throws: { "\($0)".utf8.count < 1000 && !"\($0)".contains("\n") }
    #expect(ContinuousClock.now - began < .seconds(5))
  }

  @Test("Aliases of an honest size are read")
  func aliases() throws {
    let text = Self.valid.replacing("drop: { kind: none }", with: "drop: *drop")
      .replacing("drop: { ratio: 0.75 }", with: "drop: &drop { ratio: 0.75 }")
    #expect(try read(text).stages[1].drop == .structured(group: 2, kept: 1))
  }

  @Test("A merge key takes what a mapping lacks: own keys win, then earlier mappings of a list; merges nest")
  func merges() throws {
    let head = Self.valid.components(separatedBy: "stages:")[0]
    let text =
      head + """
        stages:
          - &first {steps: 10, batch: 4, drop: &drop {ratio: 0.75}, learning_rate: 0.5}
          - &second {<<: *first, steps: 5, drop: {kind: none}}
          - {<<: [{steps: 7}, *second], drop: {<<: *drop}}
          - {steps: 3, <<: *second, "name": "<<"}
        """
    let stages = try read(text).stages
    #expect(stages.map(\.steps) == [10, 5, 7, 3])
    #expect(stages.map(\.batch) == [4, 4, 4, 4] && stages.map(\.learningRate) == [0.5, 0.5, 0.5, 0.5])
    #expect(stages.map { $0.drop == .none } == [false, true, false, true])
    #expect(try read(text, ["stages[3].batch=2"]).stages.map(\.batch) == [4, 4, 4, 2])
    #expect(try read(read(text).text).stages == stages, "the saved text means the same")
    #expect { try read(head + "<<: 3") } throws: { "\($0)".hasPrefix("c.yaml:12: `<<` has to name mappings") }
  }

  @Test(
    "Null, `~`, nothing and an empty list leave a key out", arguments: ["null", "~", "", "[]", "Null", "NULL"])
  func absent(value: String) throws {
    let text =
      Self.valid.replacing("seed: 7", with: "seed: 7\nthreads: \(value)\nsamples: \(value)\nnon_finite: \(value)")
      .replacing("[some.h5]", with: "[some.h5]\n  validation: \(value)\n  flip: \(value)")
      .replacing("batch: 4", with: "batch: 4\n    plateau: \(value)\n    ema: \(value)\n    learning_rate: \(value)")
    let (with, without) = (try read(text), try read(Self.valid))
    #expect(with.entries.map(\.key) == without.entries.map(\.key))
    #expect(with.entries.map(\.value) == without.entries.map(\.value))
    for (key, place) in [
      ("side: 4", "c.yaml:3: `model.side` is missing"), ("train: [some.h5]", "`data.train` is missing"),
    ] {
      let lacking = Self.valid.replacing(key, with: "\(key.prefix { $0 != ":" }): \(value)")
      #expect { try read(lacking) } throws: {
        "\($0)".contains("is missing") && "\($0)".contains(String(place.suffix(20)))
      }
    }
  }

  @Test("An entry of a list that is left out is refused; it is no file of that name", arguments: ["null", "~", "[]"])
  func absentEntry(value: String) {
    for list in ["[\(value)]", "[some.h5, \(value)]"] {
      #expect { try read(Self.valid, ["data.train=\(list)"]) } throws: {
        "\($0)".contains("`data.train` has to be a list of texts")
      }
    }
  }

  @Test("Whole numbers may be written as floats, fractions and words may not")
  func wholeNumbers() throws {
    let settings = ["stages[0].steps=1e1", "stages[1].steps=4.0", "samples.classes=[0, 1e0]", "seed=1_0"]
    let configuration = try read(Self.valid, settings)
    #expect(configuration.stages.map(\.steps) == [10, 4] && configuration.seed == 10)
    for bad in ["1.5", "1e-1", "1e30", "nan", "ten"] {
      #expect { try read(Self.valid, ["stages[0].steps=\(bad)"]) } throws: { "\($0)".contains("a whole number from 1") }
    }
  }

  @Test("Line breaks, tabs and control characters in a name count as spaces")
  func names() throws {
    for name in ["\"a\\tb\"", "\"a\\nb\"", "\"a\\u0007b\\r\\n\"", "\"\\u2028a\\u0085 b\""] {
      #expect(try read(Self.valid, ["stages[0].name=\(name)"]).stages[0].name == "a b", "\(name)")
    }
    #expect(
      try read(Self.valid.replacing("- steps: 10", with: "- name: |\n      a\n      b\n\n    steps: 10"))
        .stages[0].name == "a b")
  }

  @Test("A key that stands twice is told with its line; other encodings and what a shell would replace, by name")
  func unreadable() throws {
    let twice = Self.valid.replacing("    batch: 2", with: "    batch: 2\n    batch: 3")
    #expect { try read(twice) } throws: { "\($0)".hasPrefix("c.yaml:17: `batch` stands more than once") }
    let folder = try TemporaryFolder()
    func error(_ bytes: Data) throws -> String {
      try bytes.write(to: URL(fileURLWithPath: folder.file("a.yaml")))
      do { _ = try Configuration(ConfigurationDocument(path: folder.file("a.yaml"))) } catch { return "\(error)" }
      return "none"
    }
    for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian] {
      #expect(try error(#require(Self.valid.data(using: encoding))).contains("is UTF-16, expected UTF-8 text"))
    }
    #expect(try error(Data([0x23, 0xE9, 0x0A]) + Data(Self.valid.utf8)).contains("is not UTF-8 text"))
    for path in ["~/a.h5", "$DATA/a.h5", "'data/*.h5'", "'{a,b}.h5'"] {
      let text = try error(Data(Self.valid.replacing("some.h5", with: path).utf8))
      #expect(text.contains(":11: `data.train` names") && text.contains("does not replace ~, $NAME or *"), "\(text)")
    }
    #expect(try error(Data(Self.valid.replacing("some.h5", with: "${DATA}/a.h5").utf8)).contains("such as ${NAME}"))
    // A file of such a name is fine, and so is a document whose data have moved.
    try Data().write(to: URL(fileURLWithPath: folder.file("[1].h5")))
    #expect(try error(Data(Self.valid.replacing("some.h5", with: "'\(folder.file("[1].h5"))'").utf8)) == "none")
    #expect(try read(Self.valid.replacing("some.h5", with: "~/a.h5")).data.train == ["~/a.h5"])
  }
}

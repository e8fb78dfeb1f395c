import SprintFormats
import SprintTraining
import Testing

/// Keys that no configuration has.
@Suite struct UnknownKeysTests {
  private func message(_ text: String, _ settings: [String] = []) -> String {
    do {
      _ = try Configuration(
        ConfigurationDocument(text: text, source: "c.yaml", settings: settings, settingsName: "--set"))
      return "none"
    } catch { return "\(error)" }
  }

  @Test("A misspelt key is reported before the value that is missing because of it, wherever it stands")
  func beforeMissing() {
    let model = "model:\n  heads: 2\n  widht: 16\n"
    #expect(message(model) == "c.yaml:3: `model.widht` is not a known key; did you mean `width`?")
    let stage = "model: {heads: two}\nstages:\n  - steps: 3\n    drop: {raito: 0.5}\n"
    #expect(message(stage) == "c.yaml:4: `stages[0].drop.raito` is not a known key; did you mean `ratio`?")
    #expect(message("model: {heads: two}").hasPrefix("c.yaml:1: `model.width` is missing"))
  }

  @Test(
    "The key that a misspelt or misplaced one stands for is told, with its place",
    arguments: [
      ("modle.width", "did you mean `model`?"), ("model.WIDTH", "did you mean `width`?"),
      ("model.head", "did you mean `heads`?"), ("model.class_tokne", "did you mean `class_token`?"),
      ("stages[1].learningRate", "did you mean `learning_rate`?"),
      ("stages[1].warmup_length", "did you mean `warmup`?"),
      ("stages[1].weight_decay", "did you mean `optimizer.weight_decay`?"),
      ("optimizer.learning_rate", "did you mean `stages[0].learning_rate`?"),
      ("optimizer.lerning_rate", "did you mean `stages[0].learning_rate`?"),
      ("optimizer.beta3", "did you mean `beta1` or `beta2`?"),
      ("stages[1].ratio", "did you mean `stages[1].drop.ratio`?"),
      ("stages[1].drop.batch", "did you mean `stages[1].batch`?"), ("ema", "did you mean `stages[0].ema`?"),
      ("patience", "did you mean `stages[0].plateau.patience`?"), ("model.seed", "did you mean `seed`?"),
      ("keep", "did you mean `checkpoint.keep`?"), ("log.xyz", "; `log` has interval, tensorboard"),
      ("xyz", "; a configuration has seed, threads, "),
    ])
  func suggestions(key: String, told: String) {
    let text = message("stages: [{steps: 1}, {steps: 1}]", ["\(key)=1"])
    #expect(text.hasPrefix("--set ") && text.contains(" is not a known key; ") && !text.contains("\n"))
    #expect(text.contains(told), "\(text)")
  }

  @Test(
    "The field's usual names lead to the keys that have their meaning, and say what differs",
    arguments: [
      ("lr", "`stages[0].learning_rate`"), ("optimizer.lr", "`stages[0].learning_rate`"),
      ("stages[1].lr", "sprint calls it `learning_rate`"), ("stages[1].batchSize", "sprint calls it `batch`"),
      ("data.batch_size", "`stages[0].batch`, which counts the images of an update over all ranks"),
      ("betas", "give `optimizer.beta1` and `optimizer.beta2`"),
      ("epochs", "`stages[0].steps`, which counts updates: epochs x images of the data / batch"),
      ("num_steps", "`stages[0].steps`"), ("stages[1].max_train_steps", "sprint calls it `steps`"),
      ("grad_clip", "`optimizer.clip`"), ("optimizer.max_grad_norm", "sprint calls it `clip`"),
      ("gradient_accumulation_steps", "`stages[0].accumulate`"), ("ema_decay", "`stages[0].ema`"),
      ("model.num_classes", "sprint calls it `classes`"), ("model.hidden_size", "sprint calls it `width`"),
      ("model.num_heads", "`heads`"), ("model.patch-size", "`patch`"), ("model.in_channels", "`channels`"),
      ("model.image_size", "`side`, that of a latent"), ("resolution", "`model.side`"),
      ("mixed_precision", "`precision`, which is float32 or bfloat16"), ("bf16", "`precision`"),
      ("data_dir", "`data.train`"), ("data.path", "`train`, a list of data sets"), ("num_workers", "leave it out"),
      ("optimizer.type", "AdamW alone"),
    ])
  func usualNames(key: String, told: String) {
    let text = message("stages: [{steps: 1}, {steps: 1}]", ["\(key)=1"])
    #expect(text.contains(" is not a known key; ") && text.contains(told), "\(text)")
  }

  @Test(
    "Keys that are options here have a remedy of the command line",
    arguments: [
      ("output_dir", ConfigurationRemedy.nameRun), ("resume_from", .resume), ("pretrained", .nameWeights),
      ("num_gpus", .startRanks),
    ])
  func remedies(key: String, remedy: ConfigurationRemedy) {
    #expect {
      try Configuration(ConfigurationDocument(text: "\(key): 1", source: "c.yaml"))
    } throws: {
      ($0 as? any RemediableError)?.remedy as? ConfigurationRemedy == remedy && "\($0)".hasSuffix("is not a known key")
    }
  }

  /// If this fails, messages about usual names lead to keys that do not exist, or hide a key of that name.
  @Test("Usual names lead to keys that a configuration has, and none is such a key or has two meanings")
  func table() {
    let keys = ConfigurationKeys.sections.flatMap { section, names in
      names.map { section.isEmpty ? $0 : "\(section).\($0)" }
    }
    var seen: Set<String> = []
    for entry in UsualNames.entries {
      if let key = entry.key { #expect(keys.contains(key), "\(key)") }
      for name in entry.names {
        #expect(seen.insert("\(entry.section ?? "") \(name)").inserted, "\(name) twice")
        let section = ConfigurationKeys.sections[entry.section ?? ""] ?? []
        #expect(!section.contains(name), "\(name)")
      }
    }
  }

  @Test("A key that the others of its section leave without effect is refused")
  func withoutEffect() {
    let text = """
      model: {size: S, side: 32, channels: 4, classes: 10}
      data: {train: [a.h5]}
      stages: [{steps: 1, drop: {kind: none, ratio: 0.5}}]
      """
    #expect(
      message(text)
        == "c.yaml:3: `stages[0].drop.ratio` has no effect beside the other keys of `stages[0].drop`; leave it out")
  }

  @Test("A section written with a dot, and a list without a number, are told how to write them")
  func paths() {
    #expect(message("model.width: 3").hasSuffix("write sections as mappings: model: { ... }"))
    #expect(message("stages: [{steps: 1}]", ["stages.steps=3"]).hasSuffix("number the entry, as in stages[0].steps"))
  }
}

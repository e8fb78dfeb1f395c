/// A key whose value differs between two configurations.
package struct ConfigurationDifference: Sendable, Equatable {
  /// The whole key, e.g. `stages[0].learning_rate`, or `stages[2]` for a stage that only one of them has.
  package let key: String
  /// The values; `not set` for a key that a configuration lacks.
  package let from, to: String
}

/// What a run that resumes may change. Neither the order of samples nor the draw of any random number depends on a key
/// that may change.
extension Configuration {
  /// Keys on which no result depends, beyond the rounding of sums over another number of threads or ranks.
  private static let free = [
    "threads", "data.train", "data.validation", "checkpoint.", "samples.", "log.", "distribution.sharded",
    "distribution.timeout", "memory.",
  ]
  /// Keys on which the shape of the state, the order of samples, or what the network predicts depends.
  private static let fixed = [
    "seed", "model.", "diffusion.path", "class_token.teacher", "alignment.features", "alignment.feature_width",
    "alignment.projector",
    "alignment.after_block", "alignment.attention.teacher", "alignment.attention.blocks", "alignment.attention.heads",
  ]

  /// Returns the keys that may not differ from another configuration's, where they do.
  package func refusals(since other: Configuration) -> [ConfigurationDifference] {
    differences(from: other).filter { difference in Self.fixed.contains { difference.key.hasPrefix($0) } }
  }

  /// Returns the differences from another configuration that change what is learnt from now on.
  package func changes(since other: Configuration) -> [ConfigurationDifference] {
    // Without a plateau, validations decide nothing.
    let free = Self.free + (hasPlateau || other.hasPlateau ? [] : ["validation."])
    return differences(from: other).filter { difference in
      !(free + Self.fixed).contains { difference.key.hasPrefix($0) } && !difference.key.hasSuffix("].name")
    }
  }

  /// Whether the validation loss may end a stage.
  var hasPlateau: Bool { stages.contains { $0.plateau != nil } }

  private func differences(from other: Configuration) -> [ConfigurationDifference] {
    let (own, theirs) = (Dictionary(entries) { $1 }, Dictionary(other.entries) { $1 })
    let both = min(stages.count, other.stages.count)
    let single = (both..<max(stages.count, other.stages.count)).map { index in
      ConfigurationDifference(key: "stages[\(index)]", from: other.summary(ofStage: index), to: summary(ofStage: index))
    }
    let values = Set(own.keys).union(theirs.keys).sorted().compactMap { key -> ConfigurationDifference? in
      guard own[key] != theirs[key], !single.contains(where: { key.hasPrefix("\($0.key).") }) else { return nil }
      return ConfigurationDifference(key: key, from: theirs[key] ?? "not set", to: own[key] ?? "not set")
    }
    return values + single
  }

  private func summary(ofStage index: Int) -> String {
    guard stages.indices.contains(index) else { return "not set" }
    return "\(stages[index].steps) steps of `\(stages[index].name)`"
  }

  /// Returns what keeps the stages from going on at a position of another configuration.
  func problems(ofStagesAt position: TrainingPosition, since other: Configuration) -> [String] {
    guard position.stage < stages.count else {
      return ["stage \(position.stage + 1) (`stages[\(position.stage)]`) has begun, and is left out; give it again"]
    }
    let over = (0..<position.stage).filter {
      (stages[$0].steps, stages[$0].batch) != (other.stages[$0].steps, other.stages[$0].batch)
    }.map { index in
      let stage = other.stages[index]
      return "`stages[\(index)]` is over after \(stage.steps) steps of \(stage.batch) images; give it these again, and "
        + "train for longer in the last stage or in another one after it"
    }
    let steps = stages[position.stage].steps
    guard steps < position.stageStep else { return over }
    return over + [
      "`stages[\(position.stage)].steps` is \(steps), but the run has done \(position.stageStep); give it at least "
        + "\(position.stageStep)"
    ]
  }

  /// Returns the lines that tell the user of changes.
  ///
  /// - Parameter history: the changes before them
  func lines(
    about changes: [ConfigurationChange], after history: [ConfigurationChange], at position: TrainingPosition,
    since other: Configuration
  ) -> [String] {
    let lines = changes.map { change in
      let last = history.last { $0.key == change.key }
      let undone = last.map { $0.from == change.to ? "; that undoes the change of step \($0.step)" : "" } ?? ""
      let isOver = (0..<position.stage).contains { change.key.hasPrefix("stages[\($0)].") }
      return change.description + undone + (isOver ? "; that stage is over, so it changes nothing" : "")
    }
    return lines + [rateLine(at: position, since: other)].compactMap(\.self)
  }

  /// Tells of a learning rate that jumps because its schedule has changed; a change of the rate itself says it all.
  private func rateLine(at position: TrainingPosition, since other: Configuration) -> String? {
    let (stage, before) = (stages[position.stage], other.stages[position.stage])
    let (rate, old) = (stage.learningRate(at: position.stageStep), before.learningRate(at: position.stageStep))
    let hasJumped = rate / stage.learningRate != old / before.learningRate
    guard position.stageStep < stage.steps, rate != old, hasJumped else { return nil }
    return "the learning rate of step \(position.step + 1) is \(rate), without the changes \(old)"
  }
}

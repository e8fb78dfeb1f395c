import SprintDiffusion

extension Configuration {
  /// One line for the user if guidance needs a weak branch that not every stage trains; nil if there is none to say.
  ///
  /// - Parameter begun: the number of stages that have begun; nil for all of them
  package func warning(about guidance: Guidance, begun: Int? = nil) -> String? {
    guard guidance.acts(at: guidance.interval.lowerBound) else { return nil }
    let stages = stages.prefix(begun ?? stages.count)
    let lacksClass = model.classes > 0 && (guidance.kind == .classifierFree || !guidance.keepsClass)
    let untrained =
      (lacksClass ? [("`label_drop`", \Stage.labelDrop)] : [])
      + (guidance.kind == .pathDrop ? [("`path_drop`", \Stage.pathDrop)] : [])
    let lines = untrained.compactMap { key, drop -> String? in
      let names = stages.filter { $0[keyPath: drop] == 0 }.map { "`\($0.name)`" }
      if names.isEmpty { return nil }
      if names.count == stages.count { return "\(key) is 0 in every stage\(begun == nil ? "" : " so far")" }
      return "\(key) is 0 in \(names.joined(separator: ", "))"
    }
    guard !lines.isEmpty else { return nil }
    let isNever = lines.contains { $0.contains("every stage") }
    return "guidance \(guidance.kind.rawValue) compares with a branch that is \(isNever ? "never" : "not always") "
      + "trained: \(lines.joined(separator: " and "))"
  }

  /// Lines for the user about the pictures that a run draws.
  package var sampleWarnings: [String] {
    guard samples.interval != nil else { return [] }
    let guidance = samples.sampler.guidance
    var lines = [warning(about: guidance)].compactMap(\.self)
    if guidance.kind == .none, guidance.scale > 1 {
      lines.append("`samples.scale` is \(guidance.scale), but pictures are drawn without it: set `samples.guidance`")
    }
    if guidance.kind != .none, guidance.scale <= 1 {
      lines.append(
        "`samples.guidance` is \(guidance.kind.rawValue), but pictures are drawn without it: set `samples.scale`, "
          + "which is \(guidance.scale), to more than 1")
    }
    return lines
  }

  /// The share of the random start that the moving average still holds at a position. From the second stage on it is
  /// zero, as weights that were trained begin it.
  package func randomShare(at position: TrainingPosition) -> Double {
    position.stage == 0 ? stages[0].startShare(after: position.stageStep - position.skipped) : 0
  }
}

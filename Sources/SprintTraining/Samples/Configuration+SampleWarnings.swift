import SprintDiffusion

extension Configuration {
  /// One line for the user if guidance needs a weak branch that no stage trains; nil if there is none to say.
  package func warning(about guidance: Guidance) -> String? {
    guard guidance.acts(at: guidance.interval.lowerBound) else { return nil }
    let lacksClass = guidance.kind == .classifierFree || !guidance.keepsClass
    let missing =
      (lacksClass && stages.allSatisfy { $0.labelDrop == 0 } ? ["`label_drop`"] : [])
      + (guidance.kind == .pathDrop && stages.allSatisfy { $0.pathDrop == 0 } ? ["`path_drop`"] : [])
    guard !missing.isEmpty else { return nil }
    return "guidance \(guidance.kind.rawValue) compares with a branch that is never trained: "
      + "\(missing.joined(separator: " and ")) is 0 in every stage"
  }

  /// The share of the random start that the moving average still holds at a position. From the second stage on it is
  /// zero, as weights that were trained begin it.
  package func randomShare(at position: TrainingPosition) -> Double {
    position.stage == 0 ? stages[0].startShare(after: position.stageStep - position.skipped) : 0
  }
}

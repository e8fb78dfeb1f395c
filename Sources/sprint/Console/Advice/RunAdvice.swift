import SprintTraining

extension RunRemedy: Advice {
  /// What the user can do, in terms of the command line.
  var advice: String {
    switch self {
    case .resumeOrNameAnotherFolder: "continue it with --resume auto, or name another folder with --run"
    case .restoreOrNameAnotherFolder: "restore one, or name another folder with --run"
    case .useTheOldValuesOrBeginAnotherRun:
      "give the old values again, or begin another run with --run; where the shape of the model is the same, it can "
        + "begin with these weights: sprint export, then --init"
    case .goOn(let way): Self.advice(way)
    case .skipOrBeginAnotherRun:
      "go on with --resume auto --set non_finite=skip, or begin another run with --run and a lower learning rate"
    case .moveAwayOrNameAnotherFolder: "move the newer one and its manifest away, or name another folder with --run"
    case .waitOrNameAnotherFolder: "wait until it ends, or name another folder with --run"
    case .repairAndResume: "repair the cause, then go on with --resume auto"
    }
  }

  private static func advice(_ way: RunError.WayOut) -> String {
    guard !way.skips else { return goBack(way) }
    let from = way.saved.map { "go on from \($0)" } ?? "start again"
    let again = way.saved == nil ? repeating(way) : ""
    return "\(goBack(way)), or \(from) and leave such steps out: --resume auto --set non_finite=skip\(again)"
  }

  private static func repeating(_ way: RunError.WayOut) -> String { way.start.map { " \($0)" }.joined() }

  private static func goBack(_ way: RunError.WayOut) -> String {
    let lower = "with a lower learning rate: --resume auto --set \(way.key)=\(way.rate)"
    if let earlier = way.earlier { return "go back to \(earlier) \(lower)" }
    if way.isEarly || way.saved == nil { return "start from step 0 \(lower)\(repeating(way))" }
    return "begin another run with --run and a lower learning rate"
  }
}

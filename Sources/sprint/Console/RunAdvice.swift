import SprintTraining

extension RunRemedy: Advice {
  /// What the user can do, in terms of the command line.
  var advice: String {
    switch self {
    case .resumeOrNameAnotherFolder: "continue it with --resume auto, or name another folder with --run"
    case .restoreOrNameAnotherFolder: "restore one, or name another folder with --run"
    case .useTheOldConfigurationOrNameAnotherFolder: "use that one, or name another folder with --run"
    case .moveAwayOrNameAnotherFolder: "move the newer one away, or name another folder with --run"
    case .waitOrNameAnotherFolder: "wait until it ends, or name another folder with --run"
    case .repairAndResume: "repair the cause, then go on with --resume auto"
    }
  }
}

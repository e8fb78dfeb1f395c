import SprintTraining

extension SampleRemedy: Advice {
  /// What the user can do, in terms of the command line.
  var advice: String {
    switch self {
    case .waitOrNameAnotherFile: "wait until it ends, or name another file with --out"
    case .writeNumbers: "write their numbers with --out NAME.h5, or look at them with --out NAME.png"
    case .lowerScaleOrCheckWeights: "try a lower --scale or other weights"
    }
  }
}

import SprintTraining

extension SampleRemedy: Advice {
  /// What the user can do, in terms of the command line.
  var advice: String {
    switch self {
    case .waitOrNameAnotherFile: "wait until it ends, or name another file with --out"
    case .lowerScaleOrCheckWeights: "try a lower --scale or other weights"
    }
  }
}

import SprintImport

extension ImportRemedy: Advice {
  var advice: String {
    switch self {
    case .nameLayout: "say what it is with --from \(ImportLayout.all.map(\.name).joined(separator: "|"))"
    case .nameLabels: "name the classes with --labels FILE (.json or .npy), or use --labels none"
    case .leaveOutLabels: "leave out --labels"
    case .raiseClasses: "set the number of classes with --classes"
    case .nameStatistics: "name their file with --statistics"
    case .nameSecondHalf: "say which they are with --second-half std|logvar"
    case .chooseLogVariance: "say so with --second-half logvar"
    case .leaveOutSecondHalf: "leave out --second-half"
    case .waitOrNameAnotherOutput: "wait until it ends, or name another file"
    case .storeFloat32: "use --dtype f32"
    }
  }
}

/// Why a run stops before its end.
package enum StopReason: Equatable, CustomStringConvertible {
  /// A signal reached the given ranks.
  case signal(ranks: [Int])
  /// The deadline leaves just enough time for a last save.
  case deadline
  /// The run's folder contained the file `stop`, which sprint has removed.
  case stopFile
  /// The run has reached the requested step.
  case until
  /// A checkpoint could not be written, and the configuration says `on_failure: stop`.
  case failedSave

  /// One line for the user.
  package var description: String {
    switch self {
    case .signal(let ranks): "stopping: a signal reached rank \(ranks.map(String.init).joined(separator: ", "))"
    case .deadline: "stopping: the deadline leaves time for one save"
    case .stopFile: "stopping: the run's folder contained a file `stop`, which has been removed"
    case .until: "stopping: the requested step is reached"
    case .failedSave: "stopping: a checkpoint could not be written"
    }
  }
}

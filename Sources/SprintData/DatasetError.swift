/// Why a data set cannot be used.
package enum DatasetError: Error, CustomStringConvertible {
  /// A file is not what is needed.
  case unusable(path: String, problem: String)
  /// The files together are not what is needed.
  case unfit(problem: String)

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .unusable(let path, let problem): "\(path): \(problem)"
    case .unfit(let problem): "the data set \(problem)"
    }
  }
}

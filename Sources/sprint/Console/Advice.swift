import SprintFormats

/// Turns remedies into words. Lower modules do not know the options of the command line; they attach a typed remedy to
/// an error, and this is the one place that names the options.
///
/// To add a remedy type, add a case to `words(_:)` and, if its error is not a `FileError`, one to `remedy(of:)`.
enum Advice {
  /// Returns what the user can do about an error, e.g. "continue it with --resume auto", or nil if there is no advice.
  static func words(for error: any Error) -> String? { remedy(of: error).flatMap { words($0) } }

  private static func remedy(of error: any Error) -> (any Remedy)? {
    switch error {
    case let error as FileError: error.remedy
    default: nil
    }
  }

  private static func words(_ remedy: any Remedy) -> String? {
    switch remedy {
    default: nil
    }
  }
}

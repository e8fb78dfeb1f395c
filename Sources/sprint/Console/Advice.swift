import SprintFormats

/// A remedy in words: what the user can do, with the names of the options. Each module's `Remedy` conforms here.
protocol Advice: Remedy {
  /// The end of a message, in the imperative.
  var advice: String { get }
}

/// Returns what the user can do about an error, or nil if the error carries no remedy.
func advice(for error: any Error) -> String? {
  ((error as? any RemediableError)?.remedy as? any Advice)?.advice
}

/// Returns an error in words: its message, then the advice.
func message(of error: any Error) -> String {
  [Sprint.message(for: error), advice(for: error)].compactMap(\.self).joined(separator: "; ")
}

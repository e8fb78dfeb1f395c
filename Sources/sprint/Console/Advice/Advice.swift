import SprintCommunication
import SprintFormats

/// A remedy in words: what the user can do, with the names of the options. The remedies of each module conform to it in
/// a file of their own beside this one.
protocol Advice: Remedy {
  /// The end of a message, in the imperative.
  var advice: String { get }
}

/// Returns what the user can do about an error, or nil if no option helps.
func advice(for error: any Error) -> String? {
  if let lost = error as? CommunicationError { return lost.advice }
  return ((error as? any RemediableError)?.remedy as? any Advice)?.advice
}

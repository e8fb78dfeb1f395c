import SprintCommunication

extension CommunicationError {
  /// What the user can do; nil if the description says it.
  var advice: String? { canRestart ? "start the run again with --resume auto" : nil }
}

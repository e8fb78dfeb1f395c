/// Bytes to or from another rank; whoever makes a message keeps its memory until the exchange is over.
struct Message: @unchecked Sendable {
  let peer: Int
  let bytes: UnsafeMutableRawBufferPointer
}

/// What carries bytes between ranks. Only a rank's communication thread calls it.
protocol Transport: AnyObject {
  var rank: Int { get }
  var size: Int { get }
  /// Sends and receives all messages and returns when all are done. Between two ranks messages arrive in the order of their
  /// sending.
  func exchange(send: [Message], receive: [Message]) throws
  /// Sets the seconds within which a rank that has stopped is found.
  func setTimeout(_ seconds: Double)
  /// Called whenever there is nothing to exchange, so that heartbeats go on; nothing was asked for in `seconds`.
  func idle(for seconds: Double) throws
  /// Called once at the end, after the last exchange of all ranks.
  func close() throws
}

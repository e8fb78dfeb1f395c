/// Bytes to send to another rank, or memory for bytes from it. The memory has to live until the exchange is over.
package struct Message: @unchecked Sendable {
  /// The other rank.
  package let peer: Int
  /// The memory.
  package let bytes: UnsafeMutableRawBufferPointer

  /// A message to or from `peer`.
  package init(peer: Int, bytes: UnsafeMutableRawBufferPointer) { (self.peer, self.bytes) = (peer, bytes) }

  /// The message in pieces of at most `most` bytes; an empty message is one piece.
  package func pieces(atMost most: Int) -> [Message] {
    guard bytes.count > most else { return [self] }
    return stride(from: 0, to: bytes.count, by: most).map { start in
      let end = min(start + most, bytes.count)
      return Message(peer: peer, bytes: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]))
    }
  }
}

/// Carries bytes between ranks. Only a rank's communication thread calls it.
protocol Transport: AnyObject {
  var rank: Int { get }
  var size: Int { get }
  /// Sends and receives all messages and returns when all are done. Messages between two ranks arrive in the order in
  /// which they were sent.
  func exchange(send: [Message], receive: [Message]) throws
  /// Sets the seconds within which a stopped rank is noticed.
  func setTimeout(_ seconds: Double)
  /// Keeps heartbeats going while there is nothing to exchange. No operation was submitted in the last `seconds`.
  func idle(for seconds: Double) throws
  /// Ends the transport, after the last exchange of all ranks.
  func close() throws
}

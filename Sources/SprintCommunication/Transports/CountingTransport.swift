import Synchronization

/// Counts the bytes that a transport sends.
final class CountingTransport: Transport {
  private let transport: any Transport
  private let note: (Int) -> Void

  /// - Parameter note: called with the bytes of each exchange, before it
  init(_ transport: any Transport, note: @escaping (Int) -> Void) { (self.transport, self.note) = (transport, note) }

  var rank: Int { transport.rank }
  var size: Int { transport.size }

  func exchange(send: [Message], receive: [Message]) throws {
    note(send.reduce(0) { $0 + $1.bytes.count })
    try transport.exchange(send: send, receive: receive)
  }

  func setTimeout(_ seconds: Double) { transport.setTimeout(seconds) }
  func idle(for seconds: Double) throws { try transport.idle(for: seconds) }
  func close() throws { try transport.close() }
}

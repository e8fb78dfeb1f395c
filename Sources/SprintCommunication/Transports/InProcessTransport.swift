import SprintKernels

/// Connects simulated ranks in one process: it copies messages through mailboxes.
final class InProcessTransport: Transport {
  /// Holds the messages that were sent and not yet received.
  final class PostOffice: @unchecked Sendable {
    private let condition = Condition()
    /// By sender, receiver and order of sending.
    private var letters: [[[[UInt8]]]]

    init(ranks: Int) {
      letters = Array(repeating: Array(repeating: [], count: ranks), count: ranks)
    }

    func post(_ letter: [UInt8], from: Int, to: Int) {
      condition.lock()
      letters[from][to].append(letter)
      condition.broadcast()
      condition.unlock()
    }

    func take(from: Int, to: Int) -> [UInt8] {
      condition.lock()
      defer { condition.unlock() }
      while letters[from][to].isEmpty { condition.wait() }
      return letters[from][to].removeFirst()
    }
  }

  let rank, size: Int
  private let office: PostOffice

  init(rank: Int, size: Int, _ office: PostOffice) { (self.rank, self.size, self.office) = (rank, size, office) }

  func exchange(send: [Message], receive: [Message]) {
    for message in send { office.post(Array(message.bytes), from: rank, to: message.peer) }
    for message in receive {
      let letter = office.take(from: message.peer, to: rank)
      precondition(
        letter.count == message.bytes.count,
        "a message has \(letter.count) bytes, its receiver expects \(message.bytes.count)")
      message.bytes.copyBytes(from: letter)
    }
  }

  func setTimeout(_ seconds: Double) {}

  func idle(for seconds: Double) {}

  func close() {}
}

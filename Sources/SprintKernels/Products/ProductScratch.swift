import Synchronization

/// The memory into which running products copy their operands. There are as many pieces as were needed at once, each as
/// large as its largest use.
final class ProductScratch: Sendable {
  static let shared = ProductScratch()
  private let idle = Mutex<[Piece]>([])

  private struct Piece: @unchecked Sendable { let memory: UnsafeMutableRawBufferPointer }

  /// Calls `body` with at least `bytes` bytes.
  func with(bytes: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    var memory = idle.withLock { Self.take(bytes, from: &$0) }
    if memory.count < max(bytes, 64) {
      memory.deallocate()
      memory = .allocate(byteCount: max(bytes, 64), alignment: 4096)
    }
    if let start = memory.baseAddress { body(start) }
    idle.withLock { [memory] in $0.append(Piece(memory: memory)) }
  }

  /// Takes the smallest piece that is large enough, or else the largest, so that few pieces grow large.
  private static func take(_ bytes: Int, from pieces: inout [Piece]) -> UnsafeMutableRawBufferPointer {
    func isBetter(_ a: Int, _ b: Int) -> Bool { a >= bytes ? b < bytes || a < b : a > b }
    let best = pieces.indices.min { isBetter(pieces[$0].memory.count, pieces[$1].memory.count) }
    return best.map { pieces.remove(at: $0).memory } ?? UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}

extension RandomAccessFile {
  private static let mostAtOnce = 16 << 20

  /// Copies `count` bytes from `offset` on to `place` in another file.
  package func copy(_ count: Int, from offset: Int, to target: RandomAccessFile, at place: Int) throws {
    try withUnsafeTemporaryAllocation(byteCount: min(count, Self.mostAtOnce), alignment: 64) { memory in
      for done in stride(from: 0, to: count, by: Self.mostAtOnce) {
        let piece = UnsafeMutableRawBufferPointer(rebasing: memory[..<min(Self.mostAtOnce, count - done)])
        try read(into: piece, at: offset + done)
        try target.write(UnsafeRawBufferPointer(piece), at: place + done)
      }
    }
  }
}

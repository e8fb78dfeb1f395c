import CHDF5

// Data sets in pieces, each with a checksum. The library's own pipeline writes the same pieces, but its checksum is
// slow, and it allocates memory for every piece.

extension HDF5File {
  /// The pieces of a data set, cut along its first extent.
  struct Pieces {
    let count, rows, floatsPerRow, total: Int
    var bytes: Int { rows * floatsPerRow * MemoryLayout<Float>.stride }

    /// Cuts a data set into equal pieces of at most 4 MiB; the file has room for the last one in full.
    init(shape: [Int]) {
      let floatsPerRow = max(1, shape.dropFirst().reduce(1, *))
      let most = max(1, min(shape[0], (1 << 20) / floatsPerRow))
      let fewest = max(1, (shape[0] + most - 1) / most)
      (self.floatsPerRow, total) = (shape.dropFirst().reduce(1, *), shape[0])
      rows = max(1, (total + fewest - 1) / fewest)
      count = (total + rows - 1) / rows
    }

    /// The place of piece `index` among all values.
    func range(_ index: Int) -> Range<Int> {
      index * rows * floatsPerRow..<min((index + 1) * rows, total) * floatsPerRow
    }
  }

  /// Calls `body` with room for one piece and its checksum.
  private func withPieceMemory(_ pieces: Pieces, _ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    // Not aligned to more than malloc does: glibc does not give freed aligned memory out again, and a save would end
    // with 2.4 times the weights in such gaps.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pieces.bytes + 4, alignment: 16)
    defer { memory.deallocate() }
    try body(memory)
  }

  private func offset(_ index: Int, _ pieces: Pieces, dimensions: Int) -> [hsize_t] {
    [hsize_t(index * pieces.rows)] + Array(repeating: 0, count: dimensions - 1)
  }

  /// Writes all pieces of a data set, each followed by its checksum.
  func write(_ pieces: Pieces, to dataset: Handle, _ name: String, _ values: UnsafeBufferPointer<Float>) throws {
    let dimensions = try shape(of: dataset, name).count
    try withPieceMemory(pieces) { memory in
      for index in 0..<pieces.count {
        let began = ContinuousClock.now
        let source = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[pieces.range(index)]))
        memory.copyMemory(from: source)
        if source.count < pieces.bytes {
          memory[source.count..<pieces.bytes].withContiguousMutableStorageIfAvailable { $0.update(repeating: 0) }
        }
        let checksum = fletcher32(UnsafeRawBufferPointer(rebasing: memory[..<pieces.bytes]))
        memory.storeBytes(of: checksum.littleEndian, toByteOffset: pieces.bytes, as: UInt32.self)
        var offset = offset(index, pieces, dimensions: dimensions)
        try check(writing(name)) {
          H5Dwrite_chunk(dataset.id, sprint_h5p_default(), 0, &offset, memory.count, memory.baseAddress)
        }
        pace?.rest(since: began)
      }
    }
  }
}

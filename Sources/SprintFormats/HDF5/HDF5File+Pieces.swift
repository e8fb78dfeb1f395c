import CHDF5

// Data sets in pieces, each with a checksum. The library's own pipeline writes and reads the same pieces, but its
// checksum is slow, and it allocates memory for every piece.

extension HDF5File {
  /// The pieces of a data set, cut along its first extent.
  struct Pieces {
    let count, rows, floatsPerRow, total: Int
    var bytes: Int { rows * floatsPerRow * MemoryLayout<Float>.stride }

    /// Cuts a data set into equal pieces of at most 4 MiB; the file has room for the last one in full.
    init(shape: [Int]) {
      let floatsPerRow = max(1, shape.dropFirst().reduce(1, *))
      let most = max(1, min(shape[0], (1 << 20) / floatsPerRow))
      let count = max(1, (shape[0] + most - 1) / most)
      self.init(shape: shape, rows: max(1, (shape[0] + count - 1) / count))
    }

    /// Cuts a data set into pieces of `rows` entries.
    init(shape: [Int], rows: Int) {
      (self.rows, total) = (rows, shape[0])
      floatsPerRow = shape.dropFirst().reduce(1, *)
      count = (shape[0] + rows - 1) / rows
    }

    /// The place of piece `index` among all values.
    func range(_ index: Int) -> Range<Int> {
      index * rows * floatsPerRow..<min((index + 1) * rows, total) * floatsPerRow
    }
  }

  /// Calls `body` with room for one piece and its checksum.
  private func withPieceMemory(_ pieces: Pieces, _ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pieces.bytes + 4, alignment: 64)
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

  /// Returns the pieces of a data set if `write` made it, else nil.
  func pieces(of dataset: Handle, _ name: String, _ shape: [Int]) throws -> Pieces? {
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    return Self.locked {
      guard H5Pget_layout(properties.id) == H5D_CHUNKED, H5Tget_order(type.id) == H5T_ORDER_LE,
        Self.element(of: type) == .float(4), H5Pget_nfilters(properties.id) == 1, !shape.isEmpty
      else { return nil }
      var (flags, count, kind): (UInt32, Int, UInt32) = (0, 0, 0)
      var piece = [hsize_t](repeating: 0, count: shape.count)
      guard H5Pget_filter2(properties.id, 0, &flags, &count, nil, 0, nil, &kind) == H5Z_FILTER_FLETCHER32,
        H5Pget_chunk(properties.id, Int32(shape.count), &piece) == Int32(shape.count),
        piece.dropFirst().map(Int.init) == Array(shape.dropFirst())
      else { return nil }
      return Pieces(shape: shape, rows: Int(piece[0]))
    }
  }

  /// Reads all pieces of a data set and verifies their checksums.
  func read(
    _ pieces: Pieces, of dataset: Handle, _ name: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws {
    let dimensions = try shape(of: dataset, name).count
    let action = "read `\(name)`; is the file damaged?"
    try withPieceMemory(pieces) { memory in
      for index in 0..<pieces.count {
        var offset = offset(index, pieces, dimensions: dimensions)
        var (size, filters): (hsize_t, UInt32) = (0, 0)
        try check(action) { H5Dget_chunk_storage_size(dataset.id, &offset, &size) }
        guard size == memory.count else { throw FileError.hdf5(path, cannot: action) }
        try check(action) {
          H5Dread_chunk(dataset.id, sprint_h5p_default(), &offset, &filters, memory.baseAddress)
        }
        let found = UInt32(littleEndian: memory.load(fromByteOffset: pieces.bytes, as: UInt32.self))
        guard found == fletcher32(UnsafeRawBufferPointer(rebasing: memory[..<pieces.bytes])) else {
          throw FileError.hdf5(path, cannot: "read `\(name)`: a checksum is wrong, the file is damaged")
        }
        let target = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: values[pieces.range(index)]))
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<target.count]))
      }
    }
  }
}

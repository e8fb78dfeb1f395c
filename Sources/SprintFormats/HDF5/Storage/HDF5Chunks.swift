import CHDF5

/// The pieces in which a data set is stored, all of the same extents. Those at the upper ends hold elements beyond the
/// data set, too.
struct HDF5Chunks: Sendable {
  /// Extents of the data set and of a piece, outermost first.
  let shape, piece: [Int]
  /// Bytes of an element.
  let elementBytes: Int
  /// How many bytes may be read as a whole.
  let mostBytes: UInt64
  let filters: HDF5Filters

  /// Bytes of an unpacked piece.
  var bytes: Int { filters.bytes }

  /// Calls `body` with the place of the first element of each piece that holds some of the rows.
  func forEach(rows: Range<Int>, _ body: ([Int]) throws -> Void) rethrows {
    guard !rows.isEmpty, shape.allSatisfy({ $0 > 0 }) else { return }
    var place = piece.map { _ in 0 }
    let first = rows.lowerBound / piece[0] * piece[0]
    place[0] = first
    while place[0] < rows.upperBound {
      try body(place)
      var axis = piece.count - 1
      place[axis] += piece[axis]
      while axis > 0, place[axis] >= shape[axis] {
        place[axis] = 0
        axis -= 1
        place[axis] += piece[axis]
      }
    }
  }

  /// Copies what a piece at `origin` holds of the rows to where it belongs among them.
  func copy(
    _ source: UnsafeRawBufferPointer, at origin: [Int], rows: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) {
    // Inner extents that lie in one piece as a whole are copied at once.
    var (last, unit) = (shape.count - 1, elementBytes)
    while last > 0, piece[last] == shape[last] {
      unit *= shape[last]
      last -= 1
    }
    let low = (0...last).map { $0 == 0 ? max(rows.lowerBound, origin[0]) : origin[$0] }
    let high = (0...last).map { min(origin[$0] + piece[$0], $0 == 0 ? rows.upperBound : shape[$0]) }
    let count = (high[last] - low[last]) * unit
    var place = low
    while true {
      var (from, to) = (0, 0)
      for axis in 0...last {
        from = from * piece[axis] + place[axis] - origin[axis]
        to = to * shape[axis] + place[axis] - (axis == 0 ? rows.lowerBound : 0)
      }
      target[(to * unit)..<(to * unit + count)].copyBytes(from: source[(from * unit)..<(from * unit + count)])
      var axis = last - 1
      while axis >= 0 {
        place[axis] += 1
        if place[axis] < high[axis] { break }
        place[axis] = low[axis]
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

extension HDF5File {
  /// Reads rows of a data set that is stored in pieces.
  func read(
    _ chunks: HDF5Chunks, of dataset: Handle, _ name: String, rows: Range<Int>,
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    var stored: [UInt8] = []
    let scratch = HDF5Filters.Scratch()
    try chunks.forEach(rows: rows) { origin in
      let (size, skipped) = try readPiece(chunks, at: origin, of: dataset, name, into: &stored)
      try stored.withUnsafeBytes { bytes in
        let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<size])
        guard let piece = chunks.filters.unpack(bytes, skipped: skipped, scratch) else {
          throw FileError.hdf5(
            path, cannot: "read `\(name)`: a piece does not unpack, or a checksum is wrong: the file is damaged")
        }
        chunks.copy(piece, at: origin, rows: rows, into: target)
      }
    }
  }

  /// Reads a piece as it is stored; returns its size and which filters it skips.
  private func readPiece(
    _ chunks: HDF5Chunks, at origin: [Int], of dataset: Handle, _ name: String, into stored: inout [UInt8]
  ) throws -> (size: Int, skipped: UInt32) {
    let action = "read `\(name)`; is the file damaged?"
    var (offset, size, skipped) = (origin.map { hsize_t($0) }, hsize_t(0), UInt32(0))
    return try Self.locked {
      try check(action) { H5Dget_chunk_storage_size(dataset.id, &offset, &size) }
      guard size > 0 else {
        throw FileError.unexpected(
          path: path, name: name, found: "empty at \(origin)", expected: "numbers that somebody wrote")
      }
      try checkMemory(size, most: chunks.mostBytes, name)
      if stored.count < size { stored = [UInt8](repeating: 0, count: Int(size)) }
      try check(action) { H5Dread_chunk(dataset.id, sprint_h5p_default(), &offset, &skipped, &stored) }
      return (Int(size), skipped)
    }
  }
}

import CHDF5
import CZlib
import Foundation

// Packed pieces of data sets. HDF5 1.10 believes a data set that says how large its pieces are, and reads past the end
// of a piece that unpacks to less. So each piece is unpacked once, into nothing, before the library unpacks it.

extension HDF5File {
  /// The packed pieces of a data set.
  final class Packed {
    /// What a writer did to a piece; a reader undoes it from the last one to the first.
    enum Filter { case deflate, shuffle, checksum }

    let filters: [Filter]
    /// Extents of the data set and of a piece, outermost first.
    let shape, piece: [Int]
    /// Bytes of an unpacked piece.
    let bytes: Int
    /// The pieces that unpack to their size.
    fileprivate var good: Set<Int> = []

    fileprivate init(_ filters: [Filter], shape: [Int], piece: [Int], bytes: Int) {
      (self.filters, self.shape, self.piece, self.bytes) = (filters, shape, piece, bytes)
    }

    /// The number of pieces along each extent.
    fileprivate var counts: [Int] { zip(shape, piece).map { ($0 + $1 - 1) / $1 } }
  }

  /// Throws if a piece that holds some of the entries does not unpack to its size, or is packed in a way that sprint
  /// does not read. Does nothing for data sets that are not packed.
  func checkPacked(_ dataset: Handle, _ name: String, entries: Range<Int>? = nil) throws {
    try Self.locked {
      if packed[name] == nil { packed[name] = .some(try pack(of: dataset, name)) }
      guard case .some(.some(let packed)) = packed[name], packed.shape.allSatisfy({ $0 > 0 }) else { return }
      let counts = packed.counts
      let entries = entries ?? 0..<packed.shape[0]
      let across = counts.dropFirst().reduce(1, *)
      for row in entries.lowerBound / packed.piece[0]...(entries.upperBound - 1) / packed.piece[0] {
        for index in row * across..<(row + 1) * across where !packed.good.contains(index) {
          try check(packed, index, of: dataset, name)
          packed.good.insert(index)
        }
      }
    }
  }

  private func pack(of dataset: Handle, _ name: String) throws -> Packed? {
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let shape = try shape(of: dataset, name)
    let count = H5Pget_nfilters(properties.id)
    guard H5Pget_layout(properties.id) == H5D_CHUNKED, count > 0, !shape.isEmpty else { return nil }
    let filters = try (0..<count).map { try filter(UInt32($0), properties, name) }
    var piece = [hsize_t](repeating: 0, count: shape.count)
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    guard H5Pget_chunk(properties.id, Int32(shape.count), &piece) == Int32(shape.count),
      filters.count(where: { $0 == .deflate }) < 2
    else { throw FileError.hdf5(path, cannot: "read the layout of `\(name)`") }
    var bytes = UInt64(H5Tget_size(type.id))
    for extent in piece {
      let (next, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard !overflow, (1..<1 << 32).contains(next) else {
        throw FileError.unexpected(path: path, name: name, found: "in pieces of \(piece)", expected: "smaller ones")
      }
      bytes = next
    }
    return Packed(filters, shape: shape, piece: piece.map(Int.init), bytes: Int(bytes))
  }

  private func filter(_ index: UInt32, _ properties: Handle, _ name: String) throws -> Packed.Filter {
    var (flags, count, kind): (UInt32, Int, UInt32) = (0, 0, 0)
    let number = H5Pget_filter2(properties.id, index, &flags, &count, nil, 0, nil, &kind)
    switch number {
    case H5Z_FILTER_DEFLATE: return .deflate
    case H5Z_FILTER_SHUFFLE: return .shuffle
    case H5Z_FILTER_FLETCHER32: return .checksum
    default:
      throw FileError.unexpected(
        path: path, name: name, found: "packed with HDF5's filter \(number)",
        expected: "gzip, shuffle and fletcher32; repack the file with h5repack")
    }
  }

  /// Unpacks one piece and compares its size.
  private func check(_ packed: Packed, _ index: Int, of dataset: Handle, _ name: String) throws {
    var (offset, rest) = (packed.piece.map { _ in hsize_t(0) }, index)
    for (axis, count) in packed.counts.enumerated().reversed() {
      offset[axis] = hsize_t(rest % count * packed.piece[axis])
      rest /= count
    }
    var (size, skipped): (hsize_t, UInt32) = (0, 0)
    let action = "read `\(name)`; is the file damaged?"
    try check(action) { H5Dget_chunk_storage_size(dataset.id, &offset, &size) }
    // Nobody has written the piece; the library fills it.
    if size == 0 { return }
    guard size <= 2 * packed.bytes + 4096 else { throw wrong(name, "takes \(size) bytes", packed) }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    try check(action) { H5Dread_chunk(dataset.id, sprint_h5p_default(), &offset, &skipped, &bytes) }
    var count = bytes.count
    for (place, filter) in packed.filters.enumerated().reversed() where skipped >> place & 1 == 0 {
      switch filter {
      case .shuffle: break
      case .checksum: count -= 4
      case .deflate: count = inflatedBytes(bytes.prefix(max(0, count)), most: packed.bytes + 4)
      }
    }
    guard count == packed.bytes else { throw wrong(name, "unpacks to \(count) bytes", packed) }
  }

  private func wrong(_ name: String, _ problem: String, _ packed: Packed) -> FileError {
    .unexpected(
      path: path, name: name, found: "damaged: a piece \(problem)", expected: "\(packed.bytes) bytes of numbers")
  }
}

/// Returns how many bytes a deflated piece unpacks to; -1 if it cannot be unpacked or has more than `most` bytes.
private func inflatedBytes(_ bytes: ArraySlice<UInt8>, most: Int) -> Int {
  var (stream, source) = (z_stream(), Array(bytes))
  guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return -1 }
  defer { inflateEnd(&stream) }
  var scratch = [UInt8](repeating: 0, count: 1 << 16)
  return source.withUnsafeMutableBufferPointer { source in
    (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
    var (count, code) = (0, Z_OK)
    while code == Z_OK, count <= most {
      code = scratch.withUnsafeMutableBufferPointer { scratch in
        (stream.next_out, stream.avail_out) = (scratch.baseAddress, UInt32(scratch.count))
        let code = inflate(&stream, Z_NO_FLUSH)
        count += scratch.count - Int(stream.avail_out)
        return code
      }
    }
    return code == Z_STREAM_END && count <= most ? count : -1
  }
}

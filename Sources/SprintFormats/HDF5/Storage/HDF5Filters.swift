import CHDF5
import CZlib
import Foundation

/// What a writer did to each piece of a data set before it stored the piece; a reader undoes it from the last filter to
/// the first. HDF5 1.10 itself reads past the end of a piece that unpacks to less than the file claims.
struct HDF5Filters: Sendable, Equatable {
  enum Filter: Sendable, Equatable {
    case deflate, checksum
    /// The bytes of all elements of this size, sorted by their place in the element.
    case shuffle(Int)
  }

  let filters: [Filter]
  /// Bytes of a piece before the first filter.
  let bytes: Int

  /// Returns the bytes of a piece, or nil if it is damaged.
  ///
  /// - Parameters:
  ///   - skipped: a bit for each filter that the writer left out
  ///   - scratch: room for intermediate results; holds the bytes that are returned unless `stored` does
  func unpack(
    _ stored: UnsafeRawBufferPointer, skipped: UInt32, _ scratch: Scratch
  ) -> UnsafeRawBufferPointer? {
    var current = stored
    for (place, filter) in filters.enumerated().reversed() where !isSkipped(place, skipped) {
      let result =
        switch filter {
        case .checksum: Self.verified(current)
        case .deflate: scratch.inflate(current, to: size(before: place, skipped))
        case .shuffle(let size): scratch.unshuffle(current, elementBytes: size)
        }
      guard let result else { return nil }
      current = result
    }
    return current.count == bytes ? current : nil
  }

  private func isSkipped(_ place: Int, _ skipped: UInt32) -> Bool { skipped >> UInt32(place) & 1 == 1 }

  /// Bytes of a piece before a filter; the filters before a deflate change it by their checksums alone.
  private func size(before place: Int, _ skipped: UInt32) -> Int {
    bytes + 4 * filters.prefix(place).enumerated().count { $1 == .checksum && !isSkipped($0, skipped) }
  }

  private static func verified(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard bytes.count >= 4 else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))
    let found = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: body.count, as: UInt32.self))
    return found == fletcher32(body) ? body : nil
  }

  /// Room for a piece on its way through the filters.
  final class Scratch {
    private var inflated = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)
    private var unshuffled = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)

    deinit {
      inflated.deallocate()
      unshuffled.deallocate()
    }

    /// Returns exactly `count` bytes, or nil.
    fileprivate func inflate(_ source: UnsafeRawBufferPointer, to count: Int) -> UnsafeRawBufferPointer? {
      let target = Self.room(for: count, in: &inflated)
      var (made, used) = (uLong(count), uLong(source.count))
      let code = uncompress2(
        target.baseAddress?.assumingMemoryBound(to: UInt8.self), &made,
        source.baseAddress?.assumingMemoryBound(to: UInt8.self), &used)
      return code == Z_OK && made == count ? UnsafeRawBufferPointer(target) : nil
    }

    fileprivate func unshuffle(_ source: UnsafeRawBufferPointer, elementBytes: Int) -> UnsafeRawBufferPointer? {
      let count = source.count / elementBytes
      guard elementBytes > 1, count > 1 else { return source }
      let target = Self.room(for: source.count, in: &unshuffled)
      for byte in 0..<elementBytes {
        for i in 0..<count { target[i * elementBytes + byte] = source[byte * count + i] }
      }
      let rest = count * elementBytes
      target[rest...].copyBytes(from: source[rest...])
      return UnsafeRawBufferPointer(target)
    }

    private static func room(
      for count: Int, in memory: inout UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawBufferPointer {
      if memory.count < count {
        memory.deallocate()
        memory = .allocate(byteCount: count, alignment: 16)
      }
      return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }
  }
}

extension HDF5File {
  /// Returns the filters of a data set; throws if sprint does not know one of them.
  func filters(of properties: Handle, bytes: Int, _ name: String) throws -> HDF5Filters {
    let count = Self.locked { H5Pget_nfilters(properties.id) }
    let filters = try (0..<UInt32(max(0, count))).map { try filter($0, properties, name) }
    func isTwice(_ kind: (HDF5Filters.Filter) -> Bool) -> Bool { filters.count(where: kind) > 1 }
    guard !isTwice({ $0 == .deflate }), !isTwice({ if case .shuffle = $0 { true } else { false } }) else {
      throw FileError.unexpected(path: path, name: name, found: "packed twice", expected: "gzip and shuffle once each")
    }
    return HDF5Filters(filters: filters, bytes: bytes)
  }

  /// LZF is h5py's own: h5repack does not have it.
  private static let lzf: H5Z_filter_t = 32000

  /// The name of a registered filter that is often met.
  private static func name(ofFilter number: H5Z_filter_t) -> String {
    let names: [H5Z_filter_t: String] = [
      4: "SZIP", 5: "N-bit", 6: "scale-offset", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle",
      32013: "ZFP", 32015: "Zstandard", 32026: "Blosc2",
    ]
    return names[number].map { ", \($0)" } ?? ""
  }

  private func filter(_ index: UInt32, _ properties: Handle, _ name: String) throws -> HDF5Filters.Filter {
    var (flags, count, kind, value): (UInt32, Int, UInt32, UInt32) = (0, 1, 0, 1)
    let number = Self.locked { H5Pget_filter2(properties.id, index, &flags, &count, &value, 0, nil, &kind) }
    switch number {
    case H5Z_FILTER_DEFLATE: return .deflate
    case H5Z_FILTER_SHUFFLE: return .shuffle(count > 0 ? max(1, Int(value)) : 1)
    case H5Z_FILTER_FLETCHER32: return .checksum
    default:
      throw FileError.unexpected(
        path: path, name: name, found: "packed with HDF5's filter \(number)\(Self.name(ofFilter: number))",
        expected: "gzip, shuffle or fletcher32; where that filter is installed, copy the file: "
          + (number == Self.lzf ? Self.copying(path) : "h5repack -f GZIP=1 IN OUT"))
    }
  }
}

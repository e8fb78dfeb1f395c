import CHDF5
import Foundation

// Texts. One of variable length stands in a heap of the file. The library copies as many bytes as the heap says into
// room for as many as the reference says, so sprint finds and reads such a text by itself.

extension HDF5File {
  /// Bytes of a reference to a text: its length, the place of a heap, the text's number there.
  static let storedText = 16

  /// The type of such a reference. Reading a text as this type does not follow it.
  static let reference: hid_t = {
    let text = H5Tcopy(sprint_h5t_string())
    H5Tset_size(text, sprint_h5t_variable())
    let bytes = H5Tcreate(H5T_OPAQUE, storedText)
    _ = sprint_h5t_register_as_stored(text, bytes)
    H5Tclose(text)
    return bytes
  }()

  /// Returns the text of a data set: a string of fixed or variable length, or plain bytes.
  package func text(dataset name: String) throws -> String {
    let stored = try stored(name)
    let count = stored.count(rows: nil)
    let (kind, isVariable) = Self.locked { (H5Tget_class(stored.type.id), H5Tis_variable_str(stored.type.id) > 0) }
    guard isVariable ? count == 1 : kind == H5T_STRING || kind == H5T_OPAQUE || stored.number?.bytes == 1 else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(count) elements of another type", expected: "one text, or plain bytes")
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: stored.elementBytes)
    try checkMemory(overflow ? .max : UInt64(size), most: stored.mostBytes, name)
    var bytes = [UInt8](repeating: 0, count: size)
    guard isVariable, stored.chunks == nil else {
      try bytes.withUnsafeMutableBytes { try read(stored, rows: nil, into: $0) }
      return isVariable ? try text(at: bytes, of: stored.dataset, name) : Self.text(bytes)
    }
    try check("read the text `\(name)`") {
      H5Dread(
        stored.dataset.id, Self.reference, sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &bytes)
    }
    return try text(at: bytes, of: stored.dataset, name)
  }

  /// Returns the texts of a data set: strings of one length, as `write(_:texts:)` stores them.
  package func texts(dataset name: String) throws -> [String] {
    let stored = try stored(name)
    let isFixed = Self.locked { H5Tget_class(stored.type.id) == H5T_STRING && H5Tis_variable_str(stored.type.id) <= 0 }
    guard isFixed, stored.shape.count == 1 else {
      throw FileError.unexpected(
        path: path, name: name, found: "of another type or shape", expected: "a list of texts of one length")
    }
    let (size, overflow) = stored.count(rows: nil).multipliedReportingOverflow(by: stored.elementBytes)
    try checkMemory(overflow ? .max : UInt64(size), most: stored.mostBytes, name)
    var bytes = [UInt8](repeating: 0, count: size)
    try bytes.withUnsafeMutableBytes { try read(stored, rows: nil, into: $0) }
    return stride(from: 0, to: size, by: max(1, stored.elementBytes)).map {
      Self.text(Array(bytes[$0..<$0 + stored.elementBytes]))
    }
  }

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

  /// Follows a reference to a text.
  ///
  /// - Parameter object: the data set or attribute that holds it
  func text(at reference: [UInt8], of object: Handle, _ name: String) throws -> String {
    let length = UInt64(number(reference, 0, 4))
    let (heap, index) = (number(reference, 4, 8), number(reference, 12, 4))
    guard length > 0, heap != 0 else { return "" }
    let (base, place) = try Self.locked { () throws -> (hsize_t, String) in
      let file = H5Iget_file_id(object.id)
      defer { H5Fclose(file) }
      let properties = H5Fget_create_plist(file)
      defer { H5Pclose(properties) }
      var (base, addressBytes, sizeBytes): (hsize_t, Int, Int) = (0, 0, 0)
      H5Pget_userblock(properties, &base)
      guard H5Pget_sizes(properties, &addressBytes, &sizeBytes) >= 0, addressBytes == 8, sizeBytes == 8 else {
        throw FileError.unexpected(path: path, name: name, found: "a text of another form", expected: "64-bit places")
      }
      return (base, Self.path { H5Fget_name(file, $0, $1) >= 0 })
    }
    let heaps = try HDF5Heaps(RandomAccessFile(reading: place), base: base)
    guard let bytes = try heaps.bytes(index: index, at: heap, count: length) else {
      throw FileError.hdf5(path, cannot: "read the text `\(name)`: it is not where the file says; is the file damaged?")
    }
    return Self.text(bytes)
  }
}

/// Returns the little-endian number of some bytes.
private func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> UInt64 {
  bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
}

/// The global heaps of an HDF5 file. One is a signature, a version, its size; then objects, each with number, count of
/// references, size, and bytes up to a multiple of eight.
/// https://docs.hdfgroup.org/hdf5/v1_10/_f_m_t11.html (III.E)
struct HDF5Heaps {
  private let file: RandomAccessFile
  private let base: UInt64
  private static let header = 16

  /// - Parameter base: the place in the file from which others are counted
  init(_ file: RandomAccessFile, base: UInt64) { (self.file, self.base) = (file, base) }

  /// Returns the first `count` bytes of an object, or nil if the heap does not hold as many.
  func bytes(index: UInt64, at address: UInt64, count: UInt64) throws -> [UInt8]? {
    let size = UInt64(try file.size)
    let (start, overflow) = address.addingReportingOverflow(base)
    guard !overflow, start < size, let head = try read(start, Self.header, size),
      head.prefix(5).elementsEqual(Array("GCOL".utf8) + [1])
    else { return nil }
    let heapSize = number(head, 8, 8)
    guard heapSize <= size - start else { return nil }
    var place = start + UInt64(Self.header)
    while let object = try read(place, Self.header, start + heapSize) {
      let (found, length) = (number(object, 0, 2), number(object, 8, 8))
      // Number zero is the free room behind the last object.
      guard found != 0, length <= heapSize else { return nil }
      if found == index { return count <= length ? try read(place + 16, Int(count), start + heapSize) : nil }
      place += UInt64(Self.header) + (length + 7) / 8 * 8
    }
    return nil
  }

  /// Returns the bytes at a place, or nil if they go beyond `end`.
  private func read(_ place: UInt64, _ count: Int, _ end: UInt64) throws -> [UInt8]? {
    guard place <= end, UInt64(count) <= end - place else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: Int(place)) }
    return bytes
  }
}

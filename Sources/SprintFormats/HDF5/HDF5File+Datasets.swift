import CHDF5
import Foundation

extension HDF5File {
  /// What a file says about a data set.
  package struct Description: Sendable, Equatable {
    /// Extents, outermost first.
    package let shape: [Int]
    /// The type of the elements; nil unless they are plain numbers.
    package let number: HDF5NumberType?
    /// The type of the elements in words.
    package let type: String
    /// The place of the elements in the file; nil unless they are contiguous and in this machine's order of bytes.
    package let offset: Int?
  }

  /// Whether the file has an object at the path `name`.
  package func has(_ name: String) -> Bool {
    Self.locked {
      var current = ""
      return name.split(separator: "/").allSatisfy { part in
        current += "/\(part)"
        return H5Lexists(file.id, current, sprint_h5p_default()) > 0
      }
    }
  }

  /// Returns the names of the objects in a group, in alphabetical order; none if there is no such group.
  ///
  /// - Parameter most: how many names to return
  package func names(in group: String, most: Int = .max) throws -> [String] {
    guard has(group) else { return [] }
    let group = group.isEmpty ? "/" : group
    var names: [String] = []
    for i in 0..<UInt64(max(0, most)) {
      let length = Self.locked {
        H5Lget_name_by_idx(file.id, group, H5_INDEX_NAME, H5_ITER_INC, i, nil, 0, sprint_h5p_default())
      }
      guard length >= 0 else { break }
      var buffer = [CChar](repeating: 0, count: length + 1)
      _ = Self.locked {
        H5Lget_name_by_idx(file.id, group, H5_INDEX_NAME, H5_ITER_INC, i, &buffer, length + 1, sprint_h5p_default())
      }
      let bytes = buffer.prefix(length).map(UInt8.init(bitPattern:))
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw FileError.unexpected(
          path: path, name: FolderListing.escaped(bytes), found: "no UTF-8", expected: "names that are")
      }
      names.append(name)
    }
    return names
  }

  /// Returns shape, element type and place of a data set; throws if an entry is larger than its file can hold.
  ///
  /// - Parameter isEntry: whether the data set as a whole is one entry, which a caller will take memory for; otherwise
  ///   there is an entry for each step along the first extent
  package func describe(_ name: String, isEntry: Bool = false) throws -> Description {
    let stored = try stored(name)
    let entry = stored.elementBytes.multipliedReportingOverflow(by: stored.count(rows: isEntry ? nil : 1))
    try checkMemory(entry.overflow ? .max : UInt64(entry.partialValue), most: stored.mostBytes, name)
    let isPlain = stored.chunks == nil && !stored.isExternal && stored.number?.isLittleEndian == true
    let isHere = try isPlain && hasSameFile(stored.dataset, name)
    let offset = isHere ? Self.locked { H5Dget_offset(stored.dataset.id) } : sprint_haddr_undefined()
    return Description(
      shape: stored.shape, number: stored.number, type: Self.name(of: stored.type),
      offset: offset == sprint_haddr_undefined() ? nil : Int(exactly: offset))
  }

  func shape(of dataset: Handle, _ name: String) throws -> [Int] {
    let space = try opened("read the shape of `\(name)`", H5Sclose) { H5Dget_space(dataset.id) }
    let extents = Self.locked { () -> [hsize_t] in
      if H5Sget_simple_extent_type(space.id) == H5S_NULL { return [0] }
      var extents = [hsize_t](repeating: 0, count: max(0, Int(H5Sget_simple_extent_ndims(space.id))))
      H5Sget_simple_extent_dims(space.id, &extents, nil)
      return extents
    }
    // Callers multiply the extents; no file may make them overflow.
    var product: UInt64 = 1
    for extent in extents {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, extent))
      guard !overflow, next < 1 << 48 else {
        throw FileError.unexpected(path: path, name: name, found: "of shape \(extents)", expected: "fewer elements")
      }
      product = next
    }
    return extents.map(Int.init)
  }

  /// Reads all elements of a data set as floats, whatever their number type.
  package func floats(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    let stored = try stored(name)
    guard stored.count(rows: nil) == values.count else {
      throw FileError.unexpected(
        path: path, name: name, found: "of shape \(stored.shape)", expected: "\(values.count) numbers")
    }
    try floats(stored, rows: nil, into: values)
  }

  /// Reads entry `index` along the first extent as floats.
  package func floats(_ name: String, entry index: Int, into values: UnsafeMutableBufferPointer<Float>) throws {
    // Opening a data set takes as long as reading a small entry.
    let stored = try Self.locked {
      if let stored = entrySets[name] { return stored }
      let stored = try self.stored(name)
      entrySets[name] = stored
      return stored
    }
    guard let rows = stored.shape.first, (0..<rows).contains(index), stored.count(rows: 1) == values.count else {
      throw FileError.unexpected(
        path: path, name: name, found: "of shape \(stored.shape)",
        expected: "an entry \(index) of \(values.count) numbers")
    }
    try floats(stored, rows: index..<index + 1, into: values)
  }

  private func floats(
    _ stored: StoredSet, rows: Range<Int>?, into values: UnsafeMutableBufferPointer<Float>
  ) throws {
    let number = try number(of: stored)
    if number.isPlainFloat { return try read(stored, rows: rows, into: UnsafeMutableRawBufferPointer(values)) }
    try withUnsafeTemporaryAllocation(byteCount: values.count * number.bytes, alignment: 8) { bytes in
      try read(stored, rows: rows, into: bytes)
      number.convert(UnsafeRawBufferPointer(bytes), to: values)
    }
  }

  private func number(of stored: StoredSet) throws -> HDF5NumberType {
    guard let number = stored.number else {
      throw FileError.unexpected(
        path: path, name: stored.name, found: "of \(Self.name(of: stored.type))",
        expected: "numbers: float16, bfloat16, float32, float64, or whole ones")
    }
    return number
  }

  /// Returns all elements of a data set as whole numbers.
  package func integers(_ name: String) throws -> [Int64] {
    let stored = try stored(name)
    guard let number = stored.number else {
      throw FileError.unexpected(
        path: path, name: name, found: "of \(Self.name(of: stored.type))", expected: "whole numbers")
    }
    let count = stored.count(rows: nil)
    try checkMemory(UInt64(count) * 8, most: stored.mostBytes, name)
    var values = [Int64](repeating: 0, count: count)
    if number.isPlainInteger {
      try values.withUnsafeMutableBytes { try read(stored, rows: nil, into: $0) }
      return values
    }
    try withUnsafeTemporaryAllocation(byteCount: count * number.bytes, alignment: 8) { bytes in
      try read(stored, rows: nil, into: bytes)
      if let odd = values.withUnsafeMutableBufferPointer({ number.convert(UnsafeRawBufferPointer(bytes), to: $0) }) {
        var value: Float = 0
        let place = UnsafeRawBufferPointer(rebasing: bytes[odd * number.bytes..<(odd + 1) * number.bytes])
        withUnsafeMutablePointer(to: &value) {
          number.convert(place, to: UnsafeMutableBufferPointer(start: $0, count: 1))
        }
        throw FileError.unexpected(
          path: path, name: name, found: "\(value) at \(odd)", expected: "whole numbers of at most 63 bits")
      }
    }
    return values
  }
}

import CHDF5
import Foundation

extension HDF5File {
  /// Creates a group and the groups above it.
  package func createGroup(_ name: String) throws {
    var current = ""
    for part in name.split(separator: "/") {
      current += "/\(part)"
      if has(current) { continue }
      let properties = try Self.timeless(path, sprint_h5p_group_create(), current)
      _ = try opened("create the group `\(current)`", H5Gclose) {
        H5Gcreate2(file.id, current, sprint_h5p_default(), properties.id, sprint_h5p_default())
      }
    }
  }

  /// Writes a data set of float32: in pieces with a checksum each if `checked`, else contiguous.
  package func write(_ name: String, shape: [Int], _ values: UnsafeBufferPointer<Float>, checked: Bool = false) throws {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(shape)")
    let pieces = checked ? Pieces(shape: shape) : nil
    try create(name, shape, sprint_h5t_float_le(), pieces) { dataset in
      if let pieces { return try write(pieces, to: dataset, name, values) }
      try check(writing(name)) {
        H5Dwrite(
          dataset.id, sprint_h5t_float(), sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), values.baseAddress)
      }
    }
  }

  /// Writes a data set of int64.
  package func write(_ name: String, shape: [Int], _ values: [Int64]) throws {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(shape)")
    try create(name, shape, sprint_h5t_int64_le()) { dataset in
      try check(writing(name)) {
        H5Dwrite(dataset.id, sprint_h5t_int64(), sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), values)
      }
    }
  }

  /// Writes a data set of texts, padded with zeros to the length of the longest.
  package func write(_ name: String, texts: [String]) throws {
    let length = max(1, texts.map(\.utf8.count).max() ?? 1)
    let bytes = texts.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: length - $0.utf8.count) }
    let type = try opened("describe texts", H5Tclose) { H5Tcopy(sprint_h5t_string()) }
    try check("describe texts") { H5Tset_size(type.id, length) }
    try check("describe texts") { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    try check("describe texts") { H5Tset_strpad(type.id, H5T_STR_NULLPAD) }
    try create(name, [texts.count], type.id) { dataset in
      try check(writing(name)) {
        H5Dwrite(dataset.id, type.id, sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), bytes)
      }
    }
  }

  /// The types that sprint reserves room for.
  package enum Element: Sendable {
    case float16, float32, int64

    /// Bytes of a number.
    package var bytes: Int {
      switch self {
      case .float16: 2
      case .float32: 4
      case .int64: 8
      }
    }
  }

  /// Reserves room for a contiguous data set and creates the groups above it. The caller fills it with `pwrite` once
  /// this file is closed.
  ///
  /// - Returns: the place of its elements in the file
  package func reserve(_ name: String, shape: [Int], of element: Element = .float32) throws -> Int {
    try createGroup(name.split(separator: "/").dropLast().joined(separator: "/"))
    switch element {
    case .float16:
      let half = try opened("describe float16", H5Tclose) { sprint_h5t_half_le() }
      try create(name, shape, half.id, isReserved: true) { _ in }
    case .float32: try create(name, shape, sprint_h5t_float_le(), isReserved: true) { _ in }
    case .int64: try create(name, shape, sprint_h5t_int64_le(), isReserved: true) { _ in }
    }
    guard let offset = try describe(name).offset else {
      throw FileError.unexpected(path: path, name: name, found: "in pieces", expected: "contiguous")
    }
    return offset
  }

  /// Returns properties of an object without its creation time, so that equal contents make equal files.
  static func timeless(_ path: String, _ kind: hid_t, _ name: String) throws -> Handle {
    let properties = try opened(path, "describe `\(name)`", H5Pclose) { H5Pcreate(kind) }
    try check(path, "describe `\(name)`") { H5Pset_obj_track_times(properties.id, false) }
    return properties
  }

  private func create(
    _ name: String, _ shape: [Int], _ type: hid_t, _ pieces: Pieces? = nil, isReserved: Bool = false,
    _ write: (Handle) throws -> Void
  ) throws {
    var extents = shape.map { hsize_t($0) }
    let space = try opened("describe `\(name)`", H5Sclose) { H5Screate_simple(Int32(extents.count), &extents, nil) }
    let properties = try Self.timeless(path, sprint_h5p_dataset_create(), name)
    if let pieces {
      var piece = [hsize_t(pieces.rows)] + extents.dropFirst()
      try check("lay out `\(name)`") { H5Pset_chunk(properties.id, Int32(piece.count), &piece) }
      try check("add checksums to `\(name)`") { H5Pset_fletcher32(properties.id) }
    }
    if isReserved {
      try check("lay out `\(name)`") { H5Pset_alloc_time(properties.id, H5D_ALLOC_TIME_EARLY) }
      try check("lay out `\(name)`") { H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER) }
    }
    let dataset = try opened("create `\(name)`", H5Dclose) {
      H5Dcreate2(file.id, name, type, space.id, sprint_h5p_default(), properties.id, sprint_h5p_default())
    }
    try write(dataset)
    try check(writing(name)) { dataset.closeNow() }
  }

  func writing(_ name: String) -> String { "write `\(name)`; is the disk full?" }

  /// Hands everything written to the operating system and closes the file, which nobody may use afterwards. The library
  /// writes until it has closed a file: only then readers take it for whole.
  package func close() throws {
    try check("flush the file; is the disk full?") { H5Fflush(file.id, H5F_SCOPE_GLOBAL) }
    try check("close the file; is the disk full?") { file.closeNow() }
  }
}

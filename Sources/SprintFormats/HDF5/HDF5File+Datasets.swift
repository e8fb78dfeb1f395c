import CHDF5
import Foundation

extension HDF5File {
  /// The element type of a data set in the file.
  package enum Element: Sendable, Equatable {
    /// IEEE numbers of this many bytes.
    case float(Int)
    /// Whole numbers of any size.
    case integer
    /// Anything else.
    case other
  }

  /// What a file says about a data set.
  package struct Description: Sendable, Equatable {
    /// Extents, outermost first.
    package let shape: [Int]
    /// Element type.
    package let element: Element
    /// The place of the elements in the file; nil unless they are contiguous and little-endian.
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
  package func names(in group: String) throws -> [String] {
    guard has(group) else { return [] }
    var names: [String] = []
    for i in 0..<UInt64.max {
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

  func dataset(_ name: String) throws -> Handle {
    guard has(name) else {
      throw FileError.unexpected(path: path, name: name, found: "missing", expected: "a data set")
    }
    if !followsOtherFiles { try refuseExternalLinks(name) }
    let dataset = try opened("open the data set `\(name)`", H5Dclose) {
      H5Dopen2(file.id, name, sprint_h5p_default())
    }
    if !followsOtherFiles, try hasExternalStorage(dataset, name) { throw elsewhere(name) }
    return dataset
  }

  /// Throws if a link on the way to `name` leads into another file.
  private func refuseExternalLinks(_ name: String) throws {
    var current = ""
    for part in name.split(separator: "/") {
      current += "/\(part)"
      var info = H5L_info_t()
      try check("look at `\(current)`") { H5Lget_info(file.id, current, &info, sprint_h5p_default()) }
      if info.type == H5L_TYPE_EXTERNAL { throw elsewhere(current) }
    }
  }

  private func elsewhere(_ name: String) -> FileError {
    .unexpected(path: path, name: name, found: "in another file", expected: "numbers in this file")
  }

  private func hasExternalStorage(_ dataset: Handle, _ name: String) throws -> Bool {
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    return Self.locked { H5Pget_external_count(properties.id) > 0 }
  }

  /// Whether a data set lies in this very file, so that its place can be read without the library.
  private func isInThisFile(_ dataset: Handle, _ name: String) throws -> Bool {
    guard try !hasExternalStorage(dataset, name) else { return false }
    var (own, found) = (H5O_info_t(), H5O_info_t())
    try check("look at the file") { H5Oget_info1(file.id, &own) }
    try check("look at `\(name)`") { H5Oget_info1(dataset.id, &found) }
    return own.fileno == found.fileno
  }

  /// Throws if a data set claims more elements than its file can hold, before memory is taken for them.
  private func checkStorage(_ dataset: Handle, _ name: String, elements: Int) throws {
    guard elements > 0 else { return }
    let stored = Self.locked { H5Dget_storage_size(dataset.id) }
    // A compressed byte holds 1032 bytes at most.
    guard stored > 0, elements / 1100 <= stored else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(elements) numbers in \(stored) bytes of the file",
        expected: "numbers that somebody wrote")
    }
  }

  /// Returns shape, element type and place of a data set.
  package func describe(_ name: String) throws -> Description {
    let dataset = try dataset(name)
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let shape = try shape(of: dataset, name)
    let isHere = try isInThisFile(dataset, name)
    return Self.locked {
      let isContiguous = H5Pget_layout(properties.id) == H5D_CONTIGUOUS
      let offset = isContiguous ? H5Dget_offset(dataset.id) : sprint_haddr_undefined()
      let isLittle = H5Tget_order(type.id) == H5T_ORDER_LE
      let element = Self.element(of: type)
      let isPlain = isHere && isContiguous && isLittle && offset != sprint_haddr_undefined()
      return Description(shape: shape, element: element, offset: isPlain ? Int(offset) : nil)
    }
  }

  static func element(of type: Handle) -> Element {
    switch H5Tget_class(type.id) {
    case H5T_FLOAT: .float(H5Tget_size(type.id))
    case H5T_INTEGER: .integer
    default: .other
    }
  }

  func shape(of dataset: Handle, _ name: String) throws -> [Int] {
    let space = try opened("read the shape of `\(name)`", H5Sclose) { H5Dget_space(dataset.id) }
    let extents = Self.locked {
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

  /// Reads all elements of a data set as floats; the library converts other number types.
  package func floats(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    let dataset = try dataset(name)
    let shape = try shape(of: dataset, name)
    guard shape.reduce(1, *) == values.count else {
      throw FileError.unexpected(
        path: path, name: name, found: "of shape \(shape)", expected: "\(values.count) numbers")
    }
    if let pieces = try pieces(of: dataset, name, shape) { return try read(pieces, of: dataset, name, into: values) }
    try check("read `\(name)`; is the file damaged?") {
      H5Dread(
        dataset.id, sprint_h5t_float(), sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), values.baseAddress)
    }
  }

  /// Returns all elements of a data set as whole numbers.
  package func integers(_ name: String) throws -> [Int64] {
    let dataset = try dataset(name)
    let count = try shape(of: dataset, name).reduce(1, *)
    try checkStorage(dataset, name, elements: count)
    var values = [Int64](repeating: 0, count: count)
    try check("read `\(name)`; is the file damaged?") {
      H5Dread(dataset.id, sprint_h5t_int64(), sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &values)
    }
    return values
  }

  /// Reads entry `index` along the first extent as floats.
  package func floats(_ name: String, entry index: Int, into values: UnsafeMutableBufferPointer<Float>) throws {
    let dataset = try dataset(name)
    let file = try opened("read the shape of `\(name)`", H5Sclose) { H5Dget_space(dataset.id) }
    let extents = try shape(of: dataset, name)
    var start = extents.map { _ in hsize_t(0) }
    var count = extents.map { hsize_t($0) }
    (start[0], count[0]) = (hsize_t(index), 1)
    var total = hsize_t(values.count)
    let memory = try opened("describe memory", H5Sclose) { H5Screate_simple(1, &total, nil) }
    try check("choose entry \(index) of `\(name)`") {
      H5Sselect_hyperslab(file.id, H5S_SELECT_SET, &start, nil, &count, nil)
    }
    try check("read entry \(index) of `\(name)`; is the file damaged?") {
      H5Dread(dataset.id, sprint_h5t_float(), memory.id, file.id, sprint_h5p_default(), values.baseAddress)
    }
  }

  /// Returns the text of a data set: a string of fixed or variable length, or plain bytes.
  package func text(dataset name: String) throws -> String {
    let dataset = try dataset(name)
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let action = "read the text `\(name)`"
    let count = try shape(of: dataset, name).reduce(1, *)
    guard Self.locked({ H5Tis_variable_str(type.id) }) <= 0 else {
      // The library writes one address for each text.
      guard count == 1 else {
        throw FileError.unexpected(path: path, name: name, found: "\(count) texts", expected: "one text")
      }
      var text: UnsafeMutablePointer<CChar>?
      try check(action) {
        H5Dread(dataset.id, type.id, sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &text)
      }
      defer { _ = Self.locked { H5free_memory(text) } }
      return text.map { String(cString: $0) } ?? ""
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: Self.locked { H5Tget_size(type.id) })
    guard !overflow else { throw FileError.hdf5(path, cannot: action) }
    try checkStorage(dataset, name, elements: size)
    var bytes = [UInt8](repeating: 0, count: size)
    try check(action) { H5Dread(dataset.id, type.id, sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &bytes) }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

import CHDF5
import Foundation

/// Why an HDF5 file could not be read or written.
package enum HDF5Error: Error, CustomStringConvertible {
  /// The library refused.
  case failed(path: String, action: String)
  /// A data set or attribute is not what was expected.
  case unexpected(path: String, name: String, found: String, expected: String)

  /// One line: what was found, what was expected.
  package var description: String {
    switch self {
    case .failed(let path, let action): "\(path): HDF5 cannot \(action)"
    case .unexpected(let path, let name, let found, let expected):
      "\(path): `\(name)` is \(found), expected \(expected)"
    }
  }
}

/// An HDF5 file. The library is not thread-safe: every call to it goes through one lock, here.
package final class HDF5File: @unchecked Sendable {
  /// Element type of a data set on disk.
  package enum Element: Sendable, Equatable {
    /// IEEE numbers of so many bytes, little-endian.
    case float(Int)
    /// Whole numbers.
    case integer
    /// Anything else.
    case other
  }

  /// What is known of a data set without reading it.
  package struct Description: Sendable, Equatable {
    /// Extents, outermost first.
    package let shape: [Int]
    /// Element type.
    package let element: Element
    /// Where the elements lie in the file, if they lie in one piece as they are.
    package let offset: Int?
  }

  /// Where the file lies.
  package let path: String
  let file: Handle
  let pace: Pace?

  private static let lock: NSRecursiveLock = {
    // Network file systems often refuse locks, and data sets are only read.
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0)
    H5open()
    return NSRecursiveLock()
  }()

  static func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    try lock.withLock {
      // The library keeps this setting for each thread.
      _ = sprint_h5e_silence()
      return try body()
    }
  }

  /// An identifier of the library, closed with the last reference.
  final class Handle {
    let id: hid_t
    private let close: (hid_t) -> herr_t
    private var isOpen = true

    init(_ id: hid_t, _ close: @escaping (hid_t) -> herr_t) {
      (self.id, self.close) = (id, close)
    }

    deinit { if isOpen { _ = HDF5File.locked { close(id) } } }

    /// Closes now; writing may only fail here.
    func closeNow() -> herr_t {
      isOpen = false
      return close(id)
    }
  }

  /// Opens a file for reading.
  package init(reading path: String) throws {
    (self.path, pace) = (path, nil)
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw HDF5Error.failed(path: path, action: "open the file: it does not exist or may not be read")
    }
    file = try Self.opened(path, "open the file: it is no HDF5 file, or truncated", H5Fclose) {
      H5Fopen(path, sprint_h5f_read_only(), sprint_h5p_default())
    }
  }

  /// Creates a file that must not exist, in the latest format of the library, which refuses files whose writer was killed.
  ///
  /// - Parameter pace: how fast checked data sets are written
  package init(creating path: String, pace: Pace? = nil) throws {
    (self.path, self.pace) = (path, pace)
    let access = try Self.opened(path, "prepare access", H5Pclose) { H5Pcreate(sprint_h5p_file_access()) }
    try Self.check(path, "choose the file format") { H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110) }
    // Pieces begin with a page: the system copies them twice as fast.
    try Self.check(path, "choose the alignment") { H5Pset_alignment(access.id, 1 << 16, 4096) }
    let creation = try Self.timeless(path, sprint_h5p_file_create(), "/")
    file = try Self.opened(path, "create the file: is the folder there, and may it be written?", H5Fclose) {
      H5Fcreate(path, sprint_h5f_exclusive(), creation.id, access.id)
    }
  }

  // MARK: The two places where calls are checked

  static func opened(
    _ path: String, _ action: String, _ close: @escaping (hid_t) -> herr_t, _ call: () -> hid_t
  ) throws -> Handle {
    let id = locked(call)
    guard id >= 0 else { throw HDF5Error.failed(path: path, action: action) }
    return Handle(id, close)
  }

  static func check(_ path: String, _ action: String, _ call: () -> herr_t) throws {
    guard locked(call) >= 0 else { throw HDF5Error.failed(path: path, action: action) }
  }

  func opened(_ action: String, _ close: @escaping (hid_t) -> herr_t, _ call: () -> hid_t) throws -> Handle {
    try Self.opened(path, action, close, call)
  }

  func check(_ action: String, _ call: () -> herr_t) throws { try Self.check(path, action, call) }

  // MARK: Data sets

  /// Whether there is an object called `name`, each group on the way included.
  package func has(_ name: String) -> Bool {
    Self.locked {
      var way = ""
      return name.split(separator: "/").allSatisfy { part in
        way += "/\(part)"
        return H5Lexists(file.id, way, sprint_h5p_default()) > 0
      }
    }
  }

  /// Names of what lies in a group, in alphabetical order.
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
      names.append(String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    return names
  }

  private func dataset(_ name: String) throws -> Handle {
    guard has(name) else {
      throw HDF5Error.unexpected(path: path, name: name, found: "missing", expected: "a data set")
    }
    return try opened("open the data set `\(name)`", H5Dclose) { H5Dopen2(file.id, name, sprint_h5p_default()) }
  }

  /// What a data set is.
  package func describe(_ name: String) throws -> Description {
    let dataset = try dataset(name)
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let shape = try shape(of: dataset, name)
    return Self.locked {
      let isContiguous = H5Pget_layout(properties.id) == H5D_CONTIGUOUS
      let offset = isContiguous ? H5Dget_offset(dataset.id) : sprint_haddr_undefined()
      let isLittle = H5Tget_order(type.id) == H5T_ORDER_LE
      let element = Self.element(of: type)
      let plain = isContiguous && isLittle && offset != sprint_haddr_undefined()
      return Description(shape: shape, element: element, offset: plain ? Int(offset) : nil)
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
    return Self.locked {
      var extents = [hsize_t](repeating: 0, count: max(0, Int(H5Sget_simple_extent_ndims(space.id))))
      H5Sget_simple_extent_dims(space.id, &extents, nil)
      return extents.map(Int.init)
    }
  }

  /// All elements of a data set as floats, whatever number type it holds.
  package func floats(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    let dataset = try dataset(name)
    let shape = try shape(of: dataset, name)
    guard shape.reduce(1, *) == values.count else {
      throw HDF5Error.unexpected(
        path: path, name: name, found: "of shape \(shape)", expected: "\(values.count) numbers")
    }
    if let pieces = try pieces(of: dataset, name, shape) { return try read(pieces, of: dataset, name, into: values) }
    try check("read `\(name)`; is the file damaged?") {
      H5Dread(
        dataset.id, sprint_h5t_float(), sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), values.baseAddress)
    }
  }

  /// All elements of a data set as whole numbers.
  package func integers(_ name: String) throws -> [Int64] {
    let dataset = try dataset(name)
    var values = [Int64](repeating: 0, count: try shape(of: dataset, name).reduce(1, *))
    try check("read `\(name)`; is the file damaged?") {
      H5Dread(dataset.id, sprint_h5t_int64(), sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &values)
    }
    return values
  }

  /// Entry `index` along the first extent, as floats.
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

  /// The text in a data set that holds one: of fixed or variable length, or as plain bytes.
  package func text(dataset name: String) throws -> String {
    let dataset = try dataset(name)
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let action = "read the text `\(name)`"
    guard Self.locked({ H5Tis_variable_str(type.id) }) <= 0 else {
      var text: UnsafeMutablePointer<CChar>?
      try check(action) {
        H5Dread(dataset.id, type.id, sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &text)
      }
      defer { _ = Self.locked { H5free_memory(text) } }
      return text.map { String(cString: $0) } ?? ""
    }
    let count = try shape(of: dataset, name).reduce(1, *) * Self.locked { H5Tget_size(type.id) }
    var bytes = [UInt8](repeating: 0, count: count)
    try check(action) { H5Dread(dataset.id, type.id, sprint_h5s_all(), sprint_h5s_all(), sprint_h5p_default(), &bytes) }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  // MARK: Attributes of the file

  /// The text of an attribute, or nil where there is none.
  package func text(_ name: String) throws -> String? {
    guard let attribute = try attribute(name) else { return nil }
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Aget_type(attribute.id) }
    let (kind, isVariable, size) = Self.locked {
      (H5Tget_class(type.id), H5Tis_variable_str(type.id) > 0, H5Tget_size(type.id))
    }
    guard kind == H5T_STRING else {
      throw HDF5Error.unexpected(path: path, name: name, found: "an attribute of another type", expected: "a text")
    }
    if isVariable {
      var pointer: UnsafeMutablePointer<CChar>?
      try check("read the attribute `\(name)`") { H5Aread(attribute.id, type.id, &pointer) }
      defer { free(pointer) }
      return pointer.map { String(cString: $0) } ?? ""
    }
    var buffer = [UInt8](repeating: 0, count: size)
    try check("read the attribute `\(name)`") { H5Aread(attribute.id, type.id, &buffer) }
    return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The numbers of an attribute (one for a scalar), or nil where there is none.
  package func numbers(_ name: String) throws -> [Double]? {
    guard let attribute = try attribute(name) else { return nil }
    let space = try opened("read the shape of `\(name)`", H5Sclose) { H5Aget_space(attribute.id) }
    var values = [Double](repeating: 0, count: Self.locked { Int(H5Sget_simple_extent_npoints(space.id)) })
    try check("read the numbers of the attribute `\(name)`") { H5Aread(attribute.id, sprint_h5t_double(), &values) }
    return values
  }

  /// Writes a text attribute.
  package func write(attribute name: String, _ text: String) throws {
    let bytes = Array(text.utf8)
    let type = try opened("describe a text", H5Tclose) { H5Tcopy(sprint_h5t_string()) }
    try check("describe a text") { H5Tset_size(type.id, max(1, bytes.count)) }
    try check("describe a text") { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    try writeAttribute(name, type.id, type.id, count: nil, bytes.isEmpty ? [0] : bytes)
  }

  /// Writes an attribute of numbers.
  package func write(attribute name: String, _ numbers: [Double]) throws {
    try writeAttribute(name, sprint_h5t_double_le(), sprint_h5t_double(), count: numbers.count, numbers)
  }

  /// Writes an attribute of one whole number.
  package func write(attribute name: String, _ number: Int) throws {
    try writeAttribute(name, sprint_h5t_int64_le(), sprint_h5t_int64(), count: nil, [Int64(number)])
  }

  private func writeAttribute<Value: BitwiseCopyable>(
    _ name: String, _ stored: hid_t, _ memory: hid_t, count: Int?, _ values: [Value]
  ) throws {
    let space = try opened("describe `\(name)`", H5Sclose) {
      guard let count else { return H5Screate(H5S_SCALAR) }
      var extent = hsize_t(count)
      return H5Screate_simple(1, &extent, nil)
    }
    let attribute = try opened("create the attribute `\(name)`", H5Aclose) {
      H5Acreate2(file.id, name, stored, space.id, sprint_h5p_default(), sprint_h5p_default())
    }
    try check("write the attribute `\(name)`") { H5Awrite(attribute.id, memory, values) }
  }

  private func attribute(_ name: String) throws -> Handle? {
    guard Self.locked({ H5Aexists(file.id, name) }) > 0 else { return nil }
    return try opened("open the attribute `\(name)`", H5Aclose) { H5Aopen(file.id, name, sprint_h5p_default()) }
  }
}

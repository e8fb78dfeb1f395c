import CHDF5
import Foundation

// Attributes: of the file itself, or of a data set.

extension HDF5File {
  /// Returns the text of an attribute, or nil if there is none.
  ///
  /// - Parameter dataset: the data set whose attribute it is; nil for the file's own
  package func text(_ name: String, of dataset: String? = nil) throws -> String? {
    guard let attribute = try attribute(name, dataset) else { return nil }
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Aget_type(attribute.id) }
    let (kind, isVariable, size) = Self.locked {
      (H5Tget_class(type.id), H5Tis_variable_str(type.id) > 0, H5Tget_size(type.id))
    }
    guard kind == H5T_STRING else {
      throw FileError.unexpected(path: path, name: name, found: "an attribute of another type", expected: "a text")
    }
    // The library writes all elements of the attribute, whatever room there is.
    let count = try elements(of: attribute, name)
    guard count == 1, size <= Self.largestText else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(count) texts of \(size) bytes",
        expected: "one text of at most \(Self.largestText) bytes")
    }
    let action = "read the attribute `\(name)`"
    guard isVariable else {
      var bytes = [UInt8](repeating: 0, count: size)
      try check(action) { H5Aread(attribute.id, type.id, &bytes) }
      return Self.text(bytes)
    }
    guard Self.locked({ H5Aget_storage_size(attribute.id) }) == Self.storedText else {
      throw FileError.hdf5(path, cannot: action)
    }
    var bytes = [UInt8](repeating: 0, count: Self.storedText)
    try check(action) { H5Aread(attribute.id, Self.reference, &bytes) }
    return try self.text(at: bytes, of: attribute, name)
  }

  /// Returns the numbers of an attribute (one for a scalar), or nil if there is none.
  ///
  /// - Parameter dataset: the data set whose attribute it is; nil for the file's own
  package func numbers(_ name: String, of dataset: String? = nil) throws -> [Double]? {
    guard let attribute = try attribute(name, dataset) else { return nil }
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Aget_type(attribute.id) }
    let count = try elements(of: attribute, name)
    guard Self.locked({ HDF5NumberType(type.id) != nil }), count <= Self.mostNumbers else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(Self.name(of: type)), \(count) of them", expected: "numbers")
    }
    var values = [Double](repeating: 0, count: count)
    try check("read the numbers of the attribute `\(name)`") { H5Aread(attribute.id, sprint_h5t_double(), &values) }
    return values
  }

  private static let largestText = 16 << 20
  private static let mostNumbers = 1 << 20

  private func elements(of attribute: Handle, _ name: String) throws -> Int {
    let space = try opened("read the shape of `\(name)`", H5Sclose) { H5Aget_space(attribute.id) }
    return Self.locked { max(0, Int(H5Sget_simple_extent_npoints(space.id))) }
  }

  /// Writes a text attribute.
  ///
  /// - Parameter dataset: the data set whose attribute it becomes; nil for the file's own
  package func write(attribute name: String, _ text: String, of dataset: String? = nil) throws {
    let bytes = Array(text.utf8)
    let type = try opened("describe a text", H5Tclose) { H5Tcopy(sprint_h5t_string()) }
    try check("describe a text") { H5Tset_size(type.id, max(1, bytes.count)) }
    try check("describe a text") { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    try writeAttribute(name, type.id, type.id, count: nil, bytes.isEmpty ? [0] : bytes, of: dataset)
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
    _ name: String, _ stored: hid_t, _ memory: hid_t, count: Int?, _ values: [Value], of dataset: String? = nil
  ) throws {
    let owner = try dataset.map(self.dataset) ?? file
    let space = try opened("describe `\(name)`", H5Sclose) {
      guard let count else { return H5Screate(H5S_SCALAR) }
      var extent = hsize_t(count)
      return H5Screate_simple(1, &extent, nil)
    }
    let attribute = try opened("create the attribute `\(name)`", H5Aclose) {
      H5Acreate2(owner.id, name, stored, space.id, sprint_h5p_default(), sprint_h5p_default())
    }
    try check("write the attribute `\(name)`") { H5Awrite(attribute.id, memory, values) }
  }

  private func attribute(_ name: String, _ dataset: String?) throws -> Handle? {
    let owner = try dataset.map(self.dataset) ?? file
    guard Self.locked({ H5Aexists(owner.id, name) }) > 0 else { return nil }
    return try opened("open the attribute `\(name)`", H5Aclose) { H5Aopen(owner.id, name, sprint_h5p_default()) }
  }

  /// Returns the names of all attributes.
  ///
  /// - Parameter dataset: the data set whose attributes they are; nil for the file's own
  package func attributeNames(of dataset: String? = nil) throws -> [String] {
    let owner = try dataset.map(self.dataset) ?? file
    let count = Self.locked { () -> Int in
      var info = H5O_info_t()
      return H5Oget_info2(owner.id, &info, UInt32(H5O_INFO_NUM_ATTRS)) >= 0 ? Int(info.num_attrs) : 0
    }
    return try (0..<UInt64(min(count, 1024))).map { index in
      let name = Self.locked {
        Self.path {
          H5Aget_name_by_idx(owner.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, $0, $1, sprint_h5p_default()) >= 0
        }
      }
      guard !name.isEmpty else {
        // The library stops at such an attribute, and says of those behind it that they do not exist.
        throw FileError.unusable(
          path: path,
          problem: "\(dataset ?? "the file") has an attribute that HDF5 1.10 cannot read, and others may follow it; "
            + "remove it where it can be read: h5py's del file.attrs[NAME]")
      }
      return name
    }
  }
}

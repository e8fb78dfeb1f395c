import CHDF5
import Foundation

// Where the elements of a data set lie: in this file, or in another one.

extension HDF5File {
  func dataset(_ name: String) throws -> Handle {
    guard has(name) else {
      throw FileError.unexpected(path: path, name: name, found: "missing", expected: "a data set")
    }
    if !followsOtherFiles { try refuseExternalLinks(name) }
    try checkHeader(name)
    let access = try opened("prepare access", H5Pclose) { H5Pcreate(sprint_h5p_dataset_access()) }
    // In its cache of pieces the library takes as much room as a piece should have, and copies as much as the file
    // says.
    try check("prepare access") { H5Pset_chunk_cache(access.id, 0, 0, 0) }
    return try opened("open the data set `\(name)`", H5Dclose) { H5Dopen2(file.id, name, access.id) }
  }

  /// Throws if the header of a data set is such that the library would end the process. The header of one in another
  /// file is not looked at.
  private func checkHeader(_ name: String) throws {
    let (own, found) = (try info("/"), try info(name))
    guard own.fileno == found.fileno else { return }
    let properties = try opened("read the format", H5Pclose) { H5Fget_create_plist(file.id) }
    var (addressBytes, lengthBytes, base) = (0, 0, hsize_t(0))
    try check("read the format") { H5Pget_sizes(properties.id, &addressBytes, &lengthBytes) }
    try check("read the format") { H5Pget_userblock(properties.id, &base) }
    guard found.addr < 1 << 56, base < 1 << 56 else { return }
    let header = try HDF5ObjectHeader(
      RandomAccessFile(reading: path), base: Int(base), addressBytes: addressBytes, lengthBytes: lengthBytes)
    guard try !header.hasImpossiblePieces(at: Int(found.addr)) else {
      throw FileError.unexpected(
        path: path, name: name, found: "in pieces of impossible extents", expected: "pieces of some elements")
    }
  }

  /// The file and the place in which an object lies; the library does not open it for that.
  private func info(_ name: String) throws -> H5O_info_t {
    var info = H5O_info_t()
    try check("look at `\(name)`") {
      H5Oget_info_by_name2(file.id, name, &info, UInt32(H5O_INFO_BASIC), sprint_h5p_default())
    }
    return info
  }

  /// Throws if a data set lies in another file although this file's have to lie in it. A link within the file may lead
  /// through one into another file.
  func checkPlace(of dataset: Handle, isExternal: Bool, _ name: String) throws {
    if followsOtherFiles { return }
    guard !isExternal, try hasSameFile(dataset, name) else { throw elsewhere(name) }
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

  /// Whether the header of a data set is in this very file.
  func hasSameFile(_ dataset: Handle, _ name: String) throws -> Bool {
    var found = H5O_info_t()
    try check("look at `\(name)`") { H5Oget_info2(dataset.id, &found, UInt32(H5O_INFO_BASIC)) }
    return try info("/").fileno == found.fileno
  }

  /// Returns the paths of the files besides this one in which a data set lies; none for a data set in this file, or for
  /// a name that the file does not have.
  package func otherFiles(of name: String) throws -> [String] {
    guard has(name) else { return [] }
    let dataset = try dataset(name)
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let isHere = try hasSameFile(dataset, name)
    return Self.locked {
      let linked = isHere ? [] : [Self.path { H5Fget_name(dataset.id, $0, $1) >= 0 }]
      return linked
        + (0..<UInt32(max(0, min(H5Pget_external_count(properties.id), 1024)))).map { index in
          Self.path { H5Pget_external(properties.id, index, $1, $0, nil, nil) >= 0 }
        }
    }
  }

  /// Returns the path that a call of the library writes into the memory it gets.
  static func path(_ write: (UnsafeMutablePointer<CChar>, Int) -> Bool) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let isWritten = bytes.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { write($0, Int(PATH_MAX)) } ?? false
    }
    return isWritten ? String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
  }
}

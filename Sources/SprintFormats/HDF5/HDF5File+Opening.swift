import CHDF5
import Foundation

// A data set that lies in this file.

extension HDF5File {
  /// Opens a data set to which no link leads.
  func openedHere(_ name: String) throws -> Handle {
    try checkHeader(name)
    let access = try opened("prepare access", H5Pclose) { H5Pcreate(sprint_h5p_dataset_access()) }
    // In its cache of pieces the library takes as much room as a piece should have, and copies as much as the file
    // says.
    try check("prepare access") { H5Pset_chunk_cache(access.id, 0, 0, 0) }
    do {
      return try opened("open the data set `\(name)`", H5Dclose) { H5Dopen2(file.id, name, access.id) }
    } catch {
      throw FileError.hdf5(
        path,
        cannot: "open the data set `\(name)`: it is damaged, or a newer library wrote it in a newer format; "
          + "where h5py opens it, copy it: \(Self.copying(path))")
    }
  }

  /// Throws if the header of a data set is such that the library would end the process.
  private func checkHeader(_ name: String) throws {
    let found = try info(name)
    guard found.type == H5O_TYPE_DATASET else {
      let names = found.type == H5O_TYPE_GROUP ? try self.names(in: name) : []
      throw FileError.unexpected(
        path: path, name: name,
        found: found.type == H5O_TYPE_GROUP
          ? "a group (\(names.isEmpty ? "empty" : names.prefix(8).joined(separator: ", ")))" : "no data set",
        expected: "a data set")
    }
    let place = found.addr
    let properties = try opened("read the format", H5Pclose) { H5Fget_create_plist(file.id) }
    var (addressBytes, lengthBytes, base) = (0, 0, hsize_t(0))
    try check("read the format") { H5Pget_sizes(properties.id, &addressBytes, &lengthBytes) }
    try check("read the format") { H5Pget_userblock(properties.id, &base) }
    guard place < 1 << 56, base < 1 << 56 else { return }
    let header = try HDF5ObjectHeader(
      RandomAccessFile(reading: path), base: Int(base), addressBytes: addressBytes, lengthBytes: lengthBytes)
    guard try !header.hasImpossiblePieces(at: Int(place)) else {
      throw FileError.unexpected(
        path: path, name: name, found: "in pieces of impossible extents", expected: "pieces of some elements")
    }
  }

  /// The file and the place in which an object lies; the library does not open it for that.
  func info(_ name: String) throws -> H5O_info_t {
    var info = H5O_info_t()
    try check("look at `\(name)`") {
      H5Oget_info_by_name2(file.id, name, &info, UInt32(H5O_INFO_BASIC), sprint_h5p_default())
    }
    return info
  }

  /// Whether the header of a data set is in this very file.
  func hasSameFile(_ dataset: Handle, _ name: String) throws -> Bool {
    var found = H5O_info_t()
    try check("look at `\(name)`") { H5Oget_info2(dataset.id, &found, UInt32(H5O_INFO_BASIC)) }
    return try info("/").fileno == found.fileno
  }
}

import CHDF5
import Foundation

// Where the elements of a data set lie, and how many there can be.

extension HDF5File {
  /// Throws if a link on the way to `name` leads into another file.
  func refuseExternalLinks(_ name: String) throws {
    var current = ""
    for part in name.split(separator: "/") {
      current += "/\(part)"
      var info = H5L_info_t()
      try check("look at `\(current)`") { H5Lget_info(file.id, current, &info, sprint_h5p_default()) }
      if info.type == H5L_TYPE_EXTERNAL { throw elsewhere(current) }
    }
  }

  func elsewhere(_ name: String) -> FileError {
    .unexpected(path: path, name: name, found: "in another file", expected: "numbers in this file")
  }

  /// Whether a data set lies in this very file: not behind an external link, which soft links may hide, nor in external
  /// storage, nor put together from parts of other data sets.
  func isInThisFile(_ dataset: Handle, _ name: String) throws -> Bool {
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    guard Self.locked({ H5Pget_external_count(properties.id) <= 0 && H5Pget_layout(properties.id) != H5D_VIRTUAL })
    else { return false }
    var (own, found) = (H5O_info_t(), H5O_info_t())
    try check("look at the file") { H5Oget_info1(file.id, &own) }
    try check("look at `\(name)`") { H5Oget_info1(dataset.id, &found) }
    return own.fileno == found.fileno
  }

  /// What decompressing may take beyond the size of the file.
  private static let mostBeyondFile = 64 << 20

  /// Throws if a data set claims more elements than its file can hold, before memory is taken for them.
  ///
  /// - Parameter memory: the bytes that all elements together are going to take
  func checkStorage(_ dataset: Handle, _ name: String, elements: Int, memory: Int = 0) throws {
    guard elements > 0 else { return }
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let present = try bytes(around: dataset, properties, name)
    let (layout, stored, size) = Self.locked {
      (H5Pget_layout(properties.id), Int(clamping: H5Dget_storage_size(dataset.id)), max(1, H5Tget_size(type.id)))
    }
    let fits =
      switch layout {
      case H5D_VIRTUAL: memory == 0 || elements <= present
      case H5D_CHUNKED: stored > 0 && elements / Self.elementsPerByte <= min(stored, present)
      default: stored > 0 && elements <= min(stored, present) / size
      }
    guard fits, memory <= present.addingReportingOverflow(Self.mostBeyondFile).partialValue else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(elements) numbers in \(min(stored, present)) bytes of the file",
        expected: "numbers that somebody wrote")
    }
  }

  /// A compressed byte holds 1032 bytes at most.
  private static let elementsPerByte = 1100

  /// The bytes of all files that a data set's elements may lie in. What the data set itself says may be a lie.
  private func bytes(around dataset: Handle, _ properties: Handle, _ name: String) throws -> Int {
    let file = try opened("look at the file of `\(name)`", H5Fclose) { H5Iget_file_id(dataset.id) }
    return Self.locked {
      var size: hsize_t = 0
      guard H5Fget_filesize(file.id, &size) >= 0 else { return 0 }
      return (0..<max(0, H5Pget_external_count(properties.id))).reduce(Int(clamping: size)) { sum, index in
        var (place, length): (off_t, hsize_t) = (0, 0)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        H5Pget_external(properties.id, UInt32(index), Int(PATH_MAX), &buffer, &place, &length)
        return sum + Self.size(ofExternal: buffer)
      }
    }
  }

  /// The size of a file of external storage, which the library looks for from the folder of the process.
  private static func size(ofExternal path: [CChar]) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

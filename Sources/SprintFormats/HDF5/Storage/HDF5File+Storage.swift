import CHDF5
import Foundation

// How the elements of a data set are stored. HDF5 1.10 believes what a file says about sizes; here they are compared
// with one another and with the file before anything is read.

extension HDF5File {
  /// An open data set whose claims fit together.
  struct StoredSet {
    let dataset: Handle
    /// Whether the elements lie in files of their own.
    let isExternal: Bool
    /// How many bytes may be read as a whole.
    let mostBytes: UInt64
    /// The type of an element in the file.
    let type: Handle
    let name: String
    let shape: [Int]
    let elementBytes: Int
    /// nil unless the elements are plain numbers.
    let number: HDF5NumberType?
    /// nil for elements that lie side by side, and for pieces without filters, which the library reads in place.
    let chunks: HDF5Chunks?

    /// The number of elements, of all or of some rows.
    func count(rows: Int?) -> Int {
      guard let rows, !shape.isEmpty else { return shape.reduce(1, *) }
      return shape.dropFirst().reduce(rows, *)
    }
  }

  /// Opens a data set; throws unless its elements were written as a whole.
  func stored(_ name: String) throws -> StoredSet {
    let dataset = try dataset(name)
    let type = try opened("read the type of `\(name)`", H5Tclose) { H5Dget_type(dataset.id) }
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let isExternal = Self.locked { H5Pget_external_count(properties.id) > 0 }
    if isExternal, !followsOtherFiles { throw elsewhere(name) }
    if isExternal { try checkExternalFiles(of: properties, name) }
    let (isText, size, number) = Self.locked {
      (H5Tis_variable_str(type.id) > 0, H5Tget_size(type.id), HDF5NumberType(type.id))
    }
    let place = Placement(
      dataset: dataset, properties: properties, name: name, shape: try shape(of: dataset, name),
      // A text of variable length stands elsewhere; the element is its length and place.
      elementBytes: isText ? Self.storedText : size,
      mostBytes: isExternal ? mostBytes(of: dataset, externalFiles: properties) : mostBytes(of: dataset))
    return StoredSet(
      dataset: dataset, isExternal: isExternal, mostBytes: place.mostBytes, type: type, name: name, shape: place.shape,
      elementBytes: place.elementBytes, number: number, chunks: try chunks(place))
  }

  /// What a file claims about the place of a data set's elements.
  private struct Placement {
    let dataset, properties: Handle
    let name: String
    let shape: [Int]
    let elementBytes: Int
    let mostBytes: UInt64
  }

  /// Returns the pieces of a data set, nil if they are not filtered or the elements lie side by side; throws where
  /// claims do not fit.
  private func chunks(_ place: Placement) throws -> HDF5Chunks? {
    switch Self.locked({ H5Pget_layout(place.properties.id) }) {
    case H5D_CHUNKED:
      let chunks = try cut(place)
      return chunks.filters.filters.isEmpty ? nil : chunks
    case H5D_COMPACT, H5D_CONTIGUOUS:
      try checkStorage(place)
      return nil
    default:
      throw FileError.unexpected(
        path: path, name: place.name, found: "a view of data sets in \(viewed(place.properties))",
        expected: "numbers that are stored; name the files that hold them instead, or, if none is missing, copy it: "
          + Self.copying(path))
    }
  }

  /// Returns the names of the files that a virtual data set joins, and which of them are missing.
  private func viewed(_ properties: Handle) -> String {
    var count = 0
    _ = Self.locked { H5Pget_virtual_count(properties.id, &count) }
    var files: [String] = []
    for index in 0..<min(count, 1024) {
      let file = Self.locked { Self.path { H5Pget_virtual_filename(properties.id, index, $0, $1) >= 0 } }
      if !files.contains(file) { files.append(file) }
    }
    let folder = (path as NSString).deletingLastPathComponent
    let named = files.prefix(16).map { file in
      let beside = file.hasPrefix("/") || folder.isEmpty ? file : "\(folder)/\(file)"
      let isThere = file == "." || [file, beside].contains { (place: String) in access(place, F_OK) == 0 }
      return file == "." ? "this file" : "`\(file)`\(isThere ? "" : " (missing)")"
    }
    return named.joined(separator: ", ") + (files.count > 16 ? " and \(files.count - 16) more" : "")
  }

  /// Throws where a file is missing in which elements lie.
  private func checkExternalFiles(of properties: Handle, _ name: String) throws {
    let missing = Self.locked { Self.externalFiles(properties) }.filter { (file: String) in access(file, F_OK) != 0 }
    guard let first = missing.first else { return }
    throw FileError.unexpected(
      path: path, name: name, found: "stored in the file `\(first)`, which is missing",
      expected: "that file, named from the working directory; start where it lies, or copy it there")
  }

  /// Returns the names of the files in which the elements of a data set lie.
  static func externalFiles(_ properties: Handle) -> [String] {
    (0..<UInt32(max(0, min(H5Pget_external_count(properties.id), 1024)))).map { index in
      path { H5Pget_external(properties.id, index, $1, $0, nil, nil) >= 0 }
    }
  }

  /// Throws unless elements that lie side by side take as much room as they need.
  private func checkStorage(_ place: Placement) throws {
    let (needed, overflow) = place.shape.reduce(1, *).multipliedReportingOverflow(by: place.elementBytes)
    let stored = Self.locked { H5Dget_storage_size(place.dataset.id) }
    guard !overflow, stored == needed else {
      throw FileError.unexpected(
        path: path, name: place.name,
        found: "\(place.shape) elements of \(place.elementBytes) bytes in \(stored) bytes of the file",
        expected: "elements that somebody wrote")
    }
  }

  private func cut(_ place: Placement) throws -> HDF5Chunks {
    var piece = [hsize_t](repeating: 0, count: max(1, place.shape.count))
    let rank = Self.locked { H5Pget_chunk(place.properties.id, Int32(piece.count), &piece) }
    let bytes = piece.reduce(UInt64(place.elementBytes)) { product, extent in
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      return overflow ? .max : next
    }
    guard rank == place.shape.count, rank > 0, (1..<1 << 32).contains(bytes) else {
      throw FileError.unexpected(
        path: path, name: place.name, found: "in pieces of \(piece)", expected: "pieces of less than 4 GiB")
    }
    try checkMemory(bytes, most: place.mostBytes, place.name)
    return HDF5Chunks(
      shape: place.shape, piece: piece.map(Int.init), elementBytes: place.elementBytes, mostBytes: place.mostBytes,
      filters: try filters(of: place.properties, bytes: Int(bytes), place.name))
  }

  // MARK: Memory

  /// Throws if something that is read as a whole takes much more memory than its file, before memory is taken.
  func checkMemory(_ bytes: UInt64, most: UInt64, _ name: String) throws {
    guard bytes <= most else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(bytes) bytes in one piece",
        expected: "at most \(most) in a file of this size")
    }
  }

  /// Returns how many bytes may be read as a whole: the size of the data set's file, and a little more.
  private func mostBytes(of dataset: Handle) -> UInt64 {
    Self.locked {
      var size: hsize_t = 0
      let file = H5Iget_file_id(dataset.id)
      defer { H5Fclose(file) }
      return H5Fget_filesize(file, &size) >= 0 ? MemoryBound.most(fileSize: size) : 0
    }
  }

  /// Does the same for a data set whose elements lie in files of their own.
  private func mostBytes(of dataset: Handle, externalFiles properties: Handle) -> UInt64 {
    Self.locked { Self.externalFiles(properties) }.reduce(mostBytes(of: dataset)) { sum, path in
      var status = stat()
      return sum + (stat(path, &status) == 0 ? min(UInt64(max(0, status.st_size)), 1 << 50) : 0)
    }
  }

  // MARK: Reading

  /// Reads rows of a data set, all of them if `rows` is nil, as they are stored.
  func read(_ stored: StoredSet, rows: Range<Int>?, into target: UnsafeMutableRawBufferPointer) throws {
    guard !target.isEmpty else { return }
    if let chunks = stored.chunks {
      return try read(chunks, of: stored.dataset, stored.name, rows: rows ?? 0..<stored.shape[0], into: target)
    }
    let space = try opened("read the shape of `\(stored.name)`", H5Sclose) { H5Dget_space(stored.dataset.id) }
    if let rows {
      var start = stored.shape.map { _ in hsize_t(0) }
      var count = stored.shape.map { hsize_t($0) }
      (start[0], count[0]) = (hsize_t(rows.lowerBound), hsize_t(rows.count))
      try check("choose rows of `\(stored.name)`") {
        H5Sselect_hyperslab(space.id, H5S_SELECT_SET, &start, nil, &count, nil)
      }
    }
    var total = hsize_t(target.count / stored.elementBytes)
    let memory = try opened("describe memory", H5Sclose) { H5Screate_simple(1, &total, nil) }
    try check("read `\(stored.name)`; is the file damaged?") {
      H5Dread(stored.dataset.id, stored.type.id, memory.id, space.id, sprint_h5p_default(), target.baseAddress)
    }
  }
}

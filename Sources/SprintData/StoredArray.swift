import SprintFormats

/// A data set of an HDF5 file, read entry by entry.
///
/// A contiguous data set needs HDF5 only to describe it: afterwards any thread reads its entries with `pread`.
struct StoredArray: Sendable {
  /// The extents, outermost first.
  let shape: [Int]
  private let file: StoredFile
  private let name: String
  private let description: HDF5File.Description

  /// Throws unless the data set `name` holds float16 or float32.
  ///
  /// - Parameter opened: `file`, opened to be described
  init(_ opened: HDF5File, _ file: StoredFile, _ name: String) throws {
    description = try opened.describe(name)
    shape = description.shape
    (self.file, self.name) = (file, name)
    guard description.element == .float(2) || description.element == .float(4) else {
      throw FileError.unexpected(
        path: file.path, name: name, found: "of type \(description.element)", expected: "float16 or float32")
    }
  }

  /// Bytes of all entries.
  var bytes: Int { shape[0] * entryElements * (description.element == .float(2) ? 2 : 4) }

  private var entryElements: Int { shape.dropFirst().reduce(1, *) }

  /// Reads entry `index` along the first extent.
  func read(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    precondition(target.count == entryElements && index >= 0 && index < shape[0], "entry \(index) of \(shape)")
    guard let offset = description.offset else {
      return try file.library().floats(name, entry: index, into: target)
    }
    let bytesOnDisk = try file.bytes()
    if description.element == .float(4) {
      try bytesOnDisk.read(into: UnsafeMutableRawBufferPointer(target), at: offset + index * target.count * 4)
    } else {
      try withUnsafeTemporaryAllocation(of: Float16.self, capacity: target.count) { halves in
        try bytesOnDisk.read(into: UnsafeMutableRawBufferPointer(halves), at: offset + index * target.count * 2)
        for i in target.indices { target[i] = Float(halves[i]) }
      }
    }
  }
}

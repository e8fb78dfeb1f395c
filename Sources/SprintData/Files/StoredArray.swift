import SprintFormats

/// A data set of an HDF5 file, read entry by entry.
///
/// A contiguous data set needs HDF5 only to describe it: afterwards any thread reads its entries with `pread`.
struct StoredArray: Sendable {
  /// The extents, outermost first.
  let shape: [Int]
  /// The path of the data set in its file.
  let name: String
  private let file: StoredFile
  private let offset: Int?
  private let number: HDF5NumberType

  /// Throws unless the data set `name` holds floats of 16, 32 or 64 bits.
  ///
  /// - Parameter opened: `file`, opened to be described
  init(_ opened: HDF5File, _ file: StoredFile, _ name: String) throws {
    let description = try opened.describe(name)
    guard let number = description.number, number.isFloat else {
      throw FileError.unexpected(
        path: file.path, name: name, found: "of \(description.type)",
        expected: "float16, bfloat16, float32 or float64")
    }
    (shape, offset, self.number, self.file, self.name) = (description.shape, description.offset, number, file, name)
  }

  /// Bytes of all entries.
  var bytes: Int { shape[0] * entryElements * number.bytes }

  /// The extents of an entry.
  var entryShape: [Int] { Array(shape.dropFirst()) }

  private var entryElements: Int { entryShape.reduce(1, *) }

  /// Reads entry `index` along the first extent.
  func read(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    precondition(target.count == entryElements && index >= 0 && index < shape[0], "entry \(index) of \(shape)")
    guard let offset else { return try file.library().floats(name, entry: index, into: target) }
    let (bytesOnDisk, place) = (try file.bytes(), offset + index * target.count * number.bytes)
    if number.isPlainFloat {
      return try bytesOnDisk.read(into: UnsafeMutableRawBufferPointer(target), at: place)
    }
    try withUnsafeTemporaryAllocation(byteCount: target.count * number.bytes, alignment: 8) { bytes in
      try bytesOnDisk.read(into: bytes, at: place)
      number.convert(UnsafeRawBufferPointer(bytes), to: target)
    }
  }
  /// Reads entry `index`; throws unless its numbers are finite.
  func readFinite(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    try read(index, into: target)
    guard let bad = target.first(where: { !$0.isFinite }) else { return }
    throw FileError.unusable(
      path: file.path, problem: "\(name) of sample \(index) holds \(bad), expected finite numbers")
  }
}

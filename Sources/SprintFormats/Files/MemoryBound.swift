/// How much memory an item of a file may take that is read as a whole: as much as the file, and a little more.
/// Compressed zeros take a thousandth of what they unpack to.
enum MemoryBound {
  /// What an item may take beyond the size of its file.
  private static let spare: UInt64 = 24 << 20

  /// Returns the most bytes of an item in a file of this size.
  static func most(fileSize: UInt64) -> UInt64 { min(fileSize, 1 << 50) + spare }
}

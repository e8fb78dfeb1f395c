import SprintFormats
import Synchronization

/// A file of a data set. It is open while it is read often; the others of thousands are not.
final class StoredFile: Sendable {
  let path: String
  private let number = StoredFile.next.wrappingAdd(1, ordering: .relaxed).oldValue
  private let stamp: FileStamp

  private static let next = Atomic(0)
  private static let plain = OpenFiles<RandomAccessFile>(limit: OpenFileLimit.current / 2)
  /// The library takes half a megabyte for a file.
  private static let withLibrary = OpenFiles<HDF5File>(limit: min(256, OpenFileLimit.current / 8))

  init(_ path: String) throws {
    (self.path, stamp) = (path, try FileStamp(path: path))
    // A file that is open stays readable if it is removed or replaced before its first sample is read.
    _ = try bytes()
  }

  deinit {
    Self.plain.forget(number)
    Self.withLibrary.forget(number)
  }

  /// The file as bytes.
  func bytes() throws -> RandomAccessFile {
    try Self.plain.file(number) {
      let file = try RandomAccessFile(reading: path)
      try check(file.stamp)
      return file
    }
  }

  /// The file through the HDF5 library.
  func library() throws -> HDF5File {
    try Self.withLibrary.file(number) {
      try check(FileStamp(path: path))
      return try HDF5File(reading: path, followsOtherFiles: true)
    }
  }

  /// Throws if the file is no longer the one whose layout and labels are known.
  private func check(_ found: FileStamp) throws {
    guard found == stamp else {
      throw FileError.unusable(path: path, problem: "has changed since sprint opened it; start again to use it")
    }
  }
}

import CHDF5
import Foundation

/// An HDF5 file. The library is not thread-safe: every call to it goes through the one lock of this class.
package final class HDF5File: @unchecked Sendable {
  /// The path of the file.
  package let path: String
  let file: Handle
  let pace: Pace?
  /// Whether data sets may lie in other files, by external links or external storage. A checkpoint that could name any
  /// file of the machine could also make sprint export it.
  let followsOtherFiles: Bool
  /// The data sets that are read entry by entry; the lock guards them.
  var entrySets: [String: StoredSet] = [:]

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

  /// An identifier of the library, which is closed with the last reference to it.
  final class Handle {
    let id: hid_t
    private let close: (hid_t) -> herr_t
    private var isOpen = true

    init(_ id: hid_t, _ close: @escaping (hid_t) -> herr_t) {
      (self.id, self.close) = (id, close)
    }

    deinit { if isOpen { _ = HDF5File.locked { close(id) } } }

    /// Closes the object now and returns the library's answer: some writes fail only here.
    func closeNow() -> herr_t {
      isOpen = false
      return close(id)
    }
  }

  /// Opens a file for reading.
  ///
  /// - Parameter followsOtherFiles: whether its data sets may lie in other files; otherwise reading such a one throws
  package init(reading path: String, followsOtherFiles: Bool = false) throws {
    (self.path, pace, self.followsOtherFiles) = (path, nil, followsOtherFiles)
    // The library does not say what the system said.
    try Self.checkReadable(path)
    do {
      file = try Self.opened(path, "open the file", H5Fclose) {
        H5Fopen(path, sprint_h5f_read_only(), sprint_h5p_default())
      }
    } catch {
      try Self.checkReadable(path)
      if let other = FileError.otherKind(path, expected: .hdf5) { throw other }
      throw FileError.hdf5(path, cannot: "open the file: \(try HDF5Superblock.reason(RandomAccessFile(reading: path)))")
    }
  }

  /// Throws the system's error if the file cannot be opened or its beginning cannot be read.
  private static func checkReadable(_ path: String) throws {
    let file = try RandomAccessFile(reading: path)
    _ = try file.bytes(at: 0, count: min(file.size, 8))
  }

  /// Creates a file, which must not exist. The file has the library's latest format, so that a reader refuses it if its
  /// writer was killed.
  ///
  /// - Parameter pace: slows down the writing of data sets with checksums
  package init(creating path: String, pace: Pace? = nil) throws {
    (self.path, self.pace, followsOtherFiles) = (path, pace, false)
    let access = try Self.opened(path, "prepare access", H5Pclose) { H5Pcreate(sprint_h5p_file_access()) }
    try Self.check(path, "choose the file format") { H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110) }
    // Data sets begin with a page: the system copies them twice as fast.
    try Self.check(path, "choose the alignment") { H5Pset_alignment(access.id, 1 << 16, 4096) }
    let creation = try Self.timeless(path, sprint_h5p_file_create(), "/")
    do {
      file = try Self.opened(path, "create the file", H5Fclose) {
        H5Fcreate(path, sprint_h5f_exclusive(), creation.id, access.id)
      }
    } catch {
      try withExtendedLifetime(RandomAccessFile(creating: path)) {}
      unlink(path)
      throw error
    }
  }

  // MARK: The two places where calls are checked

  static func opened(
    _ path: String, _ action: String, _ close: @escaping (hid_t) -> herr_t, _ call: () -> hid_t
  ) throws -> Handle {
    let id = locked(call)
    guard id >= 0 else { throw FileError.hdf5(path, cannot: action) }
    return Handle(id, close)
  }

  static func check(_ path: String, _ action: String, _ call: () -> herr_t) throws {
    guard locked(call) >= 0 else { throw FileError.hdf5(path, cannot: action) }
  }

  func opened(_ action: String, _ close: @escaping (hid_t) -> herr_t, _ call: () -> hid_t) throws -> Handle {
    try Self.opened(path, action, close, call)
  }

  func check(_ action: String, _ call: () -> herr_t) throws { try Self.check(path, action, call) }
}

extension FileError {
  /// The HDF5 library refused a call.
  static func hdf5(_ path: String, cannot action: String) -> FileError {
    .unusable(path: path, problem: "HDF5 cannot \(action)")
  }
}

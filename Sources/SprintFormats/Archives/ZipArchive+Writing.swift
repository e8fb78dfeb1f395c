import CZip
import Foundation

extension ZipArchive {
  /// An entry that is written piece by piece.
  package struct Entry {
    /// The path in the archive.
    package let name: String
    /// The number of bytes.
    package let size: Int
    /// Fills memory with the bytes from an offset on.
    package let read: (_ target: UnsafeMutableRawBufferPointer, _ offset: Int) throws -> Void

    /// An entry whose bytes `read` gives from the first to the last.
    package init(
      name: String, size: Int, read: @escaping (_ target: UnsafeMutableRawBufferPointer, _ offset: Int) throws -> Void
    ) {
      (self.name, self.size, self.read) = (name, size, read)
    }
  }

  /// Writes an archive with one entry, uncompressed, in one piece or not at all.
  package static func write(_ contents: Data, name: String, to path: String) throws {
    let entry = Entry(name: name, size: contents.count) { target, offset in
      let start = contents.startIndex + offset
      contents.copyBytes(to: target, from: start..<start + target.count)
    }
    try write([entry], to: path)
  }

  /// Writes an archive of uncompressed entries, in one piece or not at all; entries and archives beyond 4 GiB get the
  /// headers of zip64.
  ///
  /// - Parameter comment: text about the archive, which programs show that list it
  package static func write(_ entries: [Entry], comment: String = "", to path: String) throws {
    try AtomicFile.create(path) { temporary in
      var code: Int32 = 0
      guard let archive = zip_open(temporary, ZIP_CREATE | ZIP_EXCL, &code) else {
        throw FileError.unusable(path: path, problem: "cannot create the archive: \(text(of: code))")
      }
      let sources = entries.map(EntrySource.init)
      do {
        try withExtendedLifetime(sources) { try fill(archive, sources, comment, path) }
      } catch {
        zip_discard(archive)
        throw sources.lazy.compactMap(\.failure).first ?? error
      }
    }
  }

  private static func fill(
    _ archive: OpaquePointer, _ sources: [EntrySource], _ comment: String, _ path: String
  ) throws {
    func check(_ isDone: Bool) throws {
      guard !isDone else { return }
      let failure = FileError.ofSystem(zip_get_error(archive).pointee, path)
      throw failure
        ?? .unusable(path: path, problem: "cannot write the archive: \(String(cString: zip_strerror(archive)))")
    }
    for entry in sources {
      let source = zip_source_function(archive, EntrySource.answer, Unmanaged.passUnretained(entry).toOpaque())
      let index = source.map { zip_file_add(archive, entry.name, $0, 0) } ?? -1
      if index < 0, let source { zip_source_free(source) }
      try check(index >= 0)
      try check(zip_set_file_compression(archive, UInt64(index), ZIP_CM_STORE, 0) == 0)
      // A fixed date, the first of January 1980: equal contents make equal files.
      try check(zip_file_set_dostime(archive, UInt64(index), 0, 0x21, 0) == 0)
    }
    // The library takes a text of at most 65,535 bytes.
    let text = String(comment.prefix(16_000))
    try check(zip_set_archive_comment(archive, text, UInt16(text.utf8.count)) == 0)
    try check(zip_close(archive) == 0)
  }
}

extension FileError {
  /// The system's error behind an error of libzip, such as a full disk; nil if there is none.
  fileprivate static func ofSystem(_ error: zip_error_t, _ path: String) -> FileError? {
    var error = error
    guard zip_error_system_type(&error) == ZIP_ET_SYS else { return nil }
    return .system(path: path, action: "write the archive", code: zip_error_code_system(&error))
  }
}

/// What libzip reads an entry from.
private final class EntrySource {
  private let entry: ZipArchive.Entry
  private var place = 0
  /// Why the entry could not be read.
  private(set) var failure: (any Error)?

  var name: String { entry.name }

  init(_ entry: ZipArchive.Entry) { self.entry = entry }

  /// The callback of `zip_source_function`. https://libzip.org/documentation/zip_source_function.html
  static let answer: zip_source_callback = { state, data, length, command in
    guard let state else { return -1 }
    return Unmanaged<EntrySource>.fromOpaque(state).takeUnretainedValue().answer(command, data, Int(length))
  }

  private func answer(_ command: zip_source_cmd_t, _ data: UnsafeMutableRawPointer?, _ length: Int) -> zip_int64_t {
    switch command {
    case ZIP_SOURCE_OPEN:
      place = 0
      return 0
    case ZIP_SOURCE_READ: return read(UnsafeMutableRawBufferPointer(start: data, count: length))
    case ZIP_SOURCE_STAT: return describe(data)
    case ZIP_SOURCE_ERROR:
      // A code of the library and one of the system; what was thrown says more.
      data?.storeBytes(of: ZIP_ER_READ, as: Int32.self)
      data?.storeBytes(of: 0, toByteOffset: 4, as: Int32.self)
      return 8
    case ZIP_SOURCE_SUPPORTS: return Self.supported
    default: return 0
    }
  }

  private static let supported: zip_int64_t = [
    ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
    ZIP_SOURCE_SUPPORTS,
  ].reduce(0) { $0 | 1 << $1.rawValue }

  private func read(_ target: UnsafeMutableRawBufferPointer) -> zip_int64_t {
    let count = min(target.count, entry.size - place)
    do { try entry.read(UnsafeMutableRawBufferPointer(rebasing: target[..<count]), place) } catch {
      failure = error
      return -1
    }
    place += count
    return zip_int64_t(count)
  }

  private func describe(_ data: UnsafeMutableRawPointer?) -> zip_int64_t {
    guard let status = data?.assumingMemoryBound(to: zip_stat_t.self) else { return -1 }
    zip_stat_init(status)
    status.pointee.size = zip_uint64_t(entry.size)
    status.pointee.valid = zip_uint64_t(ZIP_STAT_SIZE)
    return zip_int64_t(MemoryLayout<zip_stat_t>.size)
  }
}

import CZip
import Foundation

/// Reads an entry of a zip archive in pieces, so that memory does not grow with its size. Any place of a stored entry
/// is read at once; a deflated one is unpacked up to the place, from the beginning where the place lies before the
/// last.
///
/// A checksum is compared only where the whole entry is read from its beginning.
package final class ZipEntryReader {
  /// The number of bytes of the entry, as the archive's directory states it.
  package let size: Int
  private let archive: ZipArchive
  private let name: String
  private let index: UInt64
  private let isStored: Bool
  private var entry: OpaquePointer?
  private var place = 0

  /// Opens the entry `name`.
  package init(_ archive: ZipArchive, _ name: String) throws {
    (self.archive, self.name) = (archive, name)
    var status = zip_stat_t()
    let found = archive.lock.withLock { () -> zip_int64_t in
      let index = zip_name_locate(archive.archive, name, 0)
      return index >= 0 && zip_stat_index(archive.archive, UInt64(index), 0, &status) == 0 ? index : -1
    }
    guard found >= 0 else { throw FileError.unusable(path: archive.path, problem: "holds no `\(name)`") }
    guard [ZIP_CM_STORE, ZIP_CM_DEFLATE].contains(Int32(status.comp_method)) else {
      throw FileError.unexpected(
        path: archive.path, name: name, found: "packed by method \(status.comp_method)", expected: "stored or deflated")
    }
    (index, size, isStored) = (UInt64(found), Int(clamping: status.size), Int32(status.comp_method) == ZIP_CM_STORE)
    try open()
  }

  deinit { close() }

  private func open() throws {
    close()
    entry = archive.lock.withLock { zip_fopen_index(archive.archive, index, 0) }
    guard entry != nil else { throw archive.lock.withLock { archive.failed("open `\(name)`") } }
    place = 0
  }

  private func close() {
    if let entry { archive.lock.withLock { _ = zip_fclose(entry) } }
    entry = nil
  }

  /// Fills `target` with the bytes from `offset` on; throws if the entry ends before.
  package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    try go(to: offset)
    try archive.lock.withLock { try take(target) }
  }

  private func go(to offset: Int) throws {
    guard offset != place else { return }
    if isStored {
      let isThere = archive.lock.withLock { entry.map { zip_fseek($0, zip_int64_t(offset), SEEK_SET) == 0 } ?? false }
      guard isThere else { throw truncated }
      return place = offset
    }
    if offset < place { try open() }
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 64) { memory in
      while place < offset {
        let piece = UnsafeMutableRawBufferPointer(rebasing: memory[..<min(memory.count, offset - place)])
        try archive.lock.withLock { try take(piece) }
      }
    }
  }

  /// Fills `target` with the next bytes.
  private func take(_ target: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < target.count {
      let count = entry.map { zip_fread($0, target.baseAddress.map { $0 + done }, UInt64(target.count - done)) } ?? -1
      guard count > 0 else { throw truncated }
      done += Int(count)
      place += Int(count)
    }
  }

  private var truncated: FileError {
    .unusable(path: archive.path, problem: "cannot read `\(name)`: truncated, or its checksum is wrong")
  }
}

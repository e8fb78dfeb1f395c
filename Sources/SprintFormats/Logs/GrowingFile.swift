import Foundation

/// A file that grows at its end while a run writes it. It outlives a full disk, a folder that is moved away and back,
/// and its own removal: whatever is appended goes to the file at the path as soon as that works.
package final class GrowingFile {
  /// The path of the file.
  package let path: String
  private let createsFolder: Bool
  private let begin: (RandomAccessFile) throws -> (end: Int, head: Data)
  private var file: RandomAccessFile?
  private var end = 0

  /// Opens or creates the file.
  ///
  /// - Parameters:
  ///   - createsFolder: whether the file's folder is created again if it, but not the folder above it, is removed
  ///   - begin: called for a file that was not written here before; returns where its records end, and what has to
  ///     come before the next one
  package init(
    _ path: String, createsFolder: Bool = false, begin: @escaping (RandomAccessFile) throws -> (end: Int, head: Data)
  ) throws {
    (self.path, self.createsFolder, self.begin) = (path, createsFolder, begin)
    file = try open()
  }

  /// Appends one record. If that fails, nothing of it stays in the file.
  package func append(_ record: Data) throws {
    let file = try current()
    do {
      try record.withUnsafeBytes { try file.write($0, at: end) }
      end += record.count
    } catch {
      try? file.resize(to: end)
      throw error
    }
  }

  /// The open file, unless another one has come to its path, somebody else has changed its size, or the system does not
  /// say; then the file that is at the path now.
  private func current() throws -> RandomAccessFile {
    if let file, (try? file.isReplaced) == false, (try? file.size) == end { return file }
    file = nil
    let new = try open()
    file = new
    return new
  }

  private func open() throws -> RandomAccessFile {
    if createsFolder { mkdir((path as NSString).deletingLastPathComponent, 0o755) }
    let file = try RandomAccessFile(writing: path)
    let (end, head) = try begin(file)
    if try file.size > end { try file.resize(to: end) }
    try head.withUnsafeBytes { try file.write($0, at: end) }
    self.end = end + head.count
    return file
  }
}

import Foundation

/// The names in a folder. The system's names are bytes; Swift's texts replace bytes that are not UTF-8, and a replaced
/// name is that of another file, or of none.
package struct FolderListing: Sendable {
  /// The names that are UTF-8, in ascending order.
  package let names: [String]
  /// Those of `names` that the folder does not list as plain files: folders, links, and what it cannot tell.
  package let mayBeFolders: [String]
  /// The other names, with their strange bytes as `\xE9`.
  package let foreign: [String]

  /// Lists the folder at `path`.
  package init(_ path: String) throws {
    guard let folder = opendir(path) else { throw FileError.last(path, "list the folder") }
    defer { closedir(folder) }
    var (names, mayBeFolders, foreign): ([String], [String], [String]) = ([], [], [])
    errno = 0
    while let entry = readdir(folder) {
      let bytes = Self.name(of: entry)
      switch String(validating: bytes, as: UTF8.self) {
      case ".", "..": break
      case let name?:
        names.append(name)
        if entry.pointee.d_type != UInt8(DT_REG) { mayBeFolders.append(name) }
      case nil: foreign.append(Self.escaped(bytes))
      }
      errno = 0
    }
    guard errno == 0 else { throw FileError.last(path, "list the folder") }
    (self.names, self.mayBeFolders, self.foreign) = (names.sorted(), mayBeFolders.sorted(), foreign.sorted())
  }

  /// Whether a folder, or a link to one, is at `path`.
  package static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Returns the names at `path` that are UTF-8; nil where nothing exists there.
  package static func names(in path: String) throws -> [String]? {
    do { return try FolderListing(path).names } catch FileError.system(_, _, ENOENT) { return nil }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    let place = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    let start = UnsafeRawPointer(entry).advanced(by: place).assumingMemoryBound(to: UInt8.self)
    // The entry's own length, as a name may be longer than the array that C declares.
    let room = Int(entry.pointee.d_reclen) - place
    return Array(UnsafeBufferPointer(start: start, count: room).prefix { $0 != 0 })
  }

  /// A name as text, with its strange bytes as `\xE9`.
  static func escaped(_ name: [UInt8]) -> String {
    name.map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : String(format: "\\x%02X", $0) }.joined()
  }
}

import Foundation

/// Lists folders. An error in the middle of a folder is an error, so that nobody takes a part of the names for all.
package enum FolderListing {
  /// Returns the names in a folder, in no order; nil where nothing exists at `path`.
  package static func names(in path: String) throws -> [String]? {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return nil }
      throw FileError.last(path, "list the folder")
    }
    defer { closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw FileError.last(path, "list the folder") }
    return names
  }
}

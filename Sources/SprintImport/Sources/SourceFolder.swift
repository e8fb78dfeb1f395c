import Foundation
import SprintFormats

/// A folder with the files of a source.
struct SourceFolder: Sendable {
  let path: String

  init(_ path: String) { self.path = path }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Returns the names of the files and folders in it, in ascending order.
  func names() throws -> [String] {
    let listing = try FolderListing(path)
    guard let foreign = listing.foreign.first else { return listing.names }
    throw FileError.unusable(path: path, problem: "holds `\(foreign)`, whose name is not UTF-8; rename it")
  }

  /// Returns the names of the folders in it, in ascending order.
  func folders() throws -> [String] { try names().filter { Self.isFolder("\(path)/\($0)") } }

  /// Returns the files one folder below, as `FOLDER/FILE`, in ascending order.
  func filesInFolders(_ isWanted: (String) -> Bool) throws -> [String] {
    try folders().flatMap { folder in
      try SourceFolder("\(path)/\(folder)").names().filter(isWanted).map { "\(folder)/\($0)" }
    }
  }
}

import Foundation
import SprintFormats

/// A folder, or an archive, of numbered files.
struct SourceFolder: Sendable {
  let path: String

  init(_ path: String) { self.path = path }

  var lastName: String { URL(fileURLWithPath: path).lastPathComponent }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Names of what lies in it, in ascending order.
  func names() throws -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: path).sorted() } catch {
      throw ImportError.source(path, "cannot be listed (\((error as NSError).localizedDescription))")
    }
  }

  /// The files one folder below, `FOLDER/FILE`, in ascending order.
  func filesInFolders(_ isWanted: (String) -> Bool) throws -> [String] {
    try names().filter { Self.isFolder("\(path)/\($0)") }.flatMap { folder in
      try SourceFolder("\(path)/\(folder)").names().filter(isWanted).map { "\(folder)/\($0)" }
    }
  }
}

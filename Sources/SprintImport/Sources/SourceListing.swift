import Foundation
import SprintFormats

/// The names by which layouts recognise a source, without clutter.
struct SourceListing: Sendable {
  /// The last part of the path.
  let lastName: String
  /// The ending of the path in lower case, without the dot.
  let ending: String
  let isFolder: Bool
  /// Whether it is a file that begins like a database of LMDB.
  let isDatabase: Bool
  /// The names in the folder, in ascending order.
  let names: [String]
  /// The names in its first folders, as one of them may be empty.
  let innerNames: [String]
  /// The names in the folder that may be sources of their own.
  let candidates: [String]

  private static let foldersToLook = 8
  private static let endings: Set<String> = ["h5", "hdf5", "zip", "mdb", "lmdb"]

  init(_ path: String) throws {
    lastName = URL(fileURLWithPath: path).lastPathComponent
    ending = (path as NSString).pathExtension.lowercased()
    isFolder = FolderListing.isFolder(path)
    isDatabase = !isFolder && (try? FileKind(path: path)) == .lmdb
    let folder = SourceFolder(path)
    names = isFolder ? try folder.names() : []
    let folders = isFolder ? try folder.folders() : []
    innerNames = try folders.prefix(Self.foldersToLook).flatMap { try SourceFolder("\(path)/\($0)").names() }
    candidates =
      folders
      + names.filter { Self.endings.contains(($0 as NSString).pathExtension.lowercased()) }
      .filter { !folders.contains($0) }
  }

  /// Whether the source is the folder `name`, or contains it.
  func isOrHolds(_ name: String) -> Bool { isFolder && (names.contains(name) || lastName == name) }
}

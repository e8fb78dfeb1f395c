import Foundation

/// The names by which layouts recognise a source.
struct SourceListing: Sendable {
  /// The last part of the path.
  let lastName: String
  /// The ending of the path in lower case, without the dot.
  let ending: String
  let isFolder: Bool
  /// The names in the folder, in ascending order.
  let names: [String]
  /// The names in its first folder, in ascending order.
  let innerNames: [String]

  init(_ path: String) throws {
    lastName = URL(fileURLWithPath: path).lastPathComponent
    ending = (path as NSString).pathExtension.lowercased()
    isFolder = SourceFolder.isFolder(path)
    let folder = SourceFolder(path)
    names = isFolder ? try folder.names() : []
    let first = names.first { SourceFolder.isFolder("\(path)/\($0)") }
    innerNames = try first.map { try SourceFolder("\(path)/\($0)").names() } ?? []
  }

  /// Whether the source is the folder `name`, or contains it.
  func isOrHolds(_ name: String) -> Bool { isFolder && (names.contains(name) || lastName == name) }
}

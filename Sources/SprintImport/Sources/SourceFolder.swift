import Foundation
import SprintFormats

/// A folder with the files of a source.
struct SourceFolder: Sendable {
  /// What a walk through a folder and those below it finds, as paths from the folder on.
  struct Found {
    /// Files that are wanted, and clutter that would be; both in no order.
    var files: [String] = []
    var clutter: [String] = []
  }

  let path: String

  init(_ path: String) { self.path = path }

  private func listing() throws -> FolderListing {
    let listing = try FolderListing(path)
    guard let foreign = listing.foreign.first else { return listing }
    throw FileError.unusable(path: path, problem: "holds `\(foreign)`, whose name is not UTF-8; rename it")
  }

  /// Returns the names of the files and folders in it, without clutter, in ascending order.
  func names() throws -> [String] { try listing().names.filter { !Clutter.isOne($0) } }

  /// Returns the names of the folders in it, without clutter, in ascending order.
  func folders() throws -> [String] { try folders(of: listing()).filter { !Clutter.isOne($0) } }

  private func folders(of listing: FolderListing) -> [String] {
    listing.mayBeFolders.filter { FolderListing.isFolder("\(path)/\($0)") }
  }

  /// Walks through the folder and those below it.
  ///
  /// - Parameters:
  ///   - depth: the most parts of a path; a link to a folder above does not lead further
  ///   - isWanted: whether a file of this name is wanted
  func walk(depth: Int, _ isWanted: (String) -> Bool) throws -> Found {
    let listing = try listing()
    let folders = folders(of: listing)
    var found = Found()
    for name in Set(listing.names).subtracting(folders) where isWanted(name) {
      if Clutter.isOne(name) { found.clutter.append(name) } else { found.files.append(name) }
    }
    for folder in folders {
      guard !Clutter.isOne(folder) else {
        found.clutter.append(folder)
        continue
      }
      guard depth > 1 else { continue }
      let below = try SourceFolder("\(path)/\(folder)").walk(depth: depth - 1, isWanted)
      found.files += below.files.map { "\(folder)/\($0)" }
      found.clutter += below.clutter.map { "\(folder)/\($0)" }
    }
    return found
  }
}

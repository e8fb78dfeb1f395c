/// How the pictures of folders are read.
package struct FolderOptions: Sendable, Equatable {
  /// The pixels of a side to which pictures are cropped and resized, as an import does; nil takes them as they are.
  package var side: Int?
  /// Whether pictures that cannot be used are left out.
  package var skipsBroken = false

  /// The defaults.
  package init() {}
}

import CHDF5

// What is in a file that need not be of sprint.

extension HDF5File {
  /// A group, a data set or a link.
  package struct Item: Sendable, Equatable {
    /// The path in the file.
    package let path: String
    /// The element type of a data set, such as `float32`, or what else stands there.
    package let kind: String
    /// The extents of a data set; nil for everything else.
    package let shape: [Int]?
  }

  /// Returns what lies below the root, each group before what is in it: the first `most` items.
  package func items(most: Int) throws -> [Item] {
    var items: [Item] = []
    try add(group: "", above: [], most: most, to: &items)
    return items
  }

  /// - Parameter above: the places of the groups around this one; a file may put one of them into itself
  private func add(group: String, above: Set<haddr_t>, most: Int, to items: inout [Item]) throws {
    guard above.count < Self.deepest else { return }
    for name in try names(in: group, most: most - items.count) where items.count < most {
      let path = "\(group)/\(name)"
      let item = item(path, above)
      items.append(item)
      guard item.kind == Self.groupKind else { continue }
      try add(group: path, above: above.union([try info(path).addr]), most: most, to: &items)
    }
  }

  private static let deepest = 64
  private static let groupKind = "group"

  private func item(_ path: String, _ above: Set<haddr_t>) -> Item {
    if let link = link(path) { return Item(path: path, kind: link, shape: nil) }
    let info = try? info(path)
    switch info?.type {
    case H5O_TYPE_GROUP:
      let isAbove = info.map { above.contains($0.addr) } ?? false
      return Item(path: path, kind: isAbove ? "a group around this one" : Self.groupKind, shape: nil)
    case H5O_TYPE_DATASET: return dataset(item: path)
    default: return Item(path: path, kind: "something else", shape: nil)
    }
  }

  private func dataset(item path: String) -> Item {
    do {
      let stored = try stored(path)
      return Item(path: path, kind: Self.name(of: stored.type), shape: stored.shape)
    } catch FileError.unusable(_, let problem, _) {
      return Item(path: path, kind: "cannot be read: \(problem)", shape: nil)
    } catch {
      return Item(path: path, kind: "cannot be read: \(error)", shape: nil)
    }
  }

  /// Where a soft or an external link leads; nil for anything else.
  private func link(_ path: String) -> String? {
    Self.locked {
      var info = H5L_info_t()
      guard H5Lget_info(file.id, path, &info, sprint_h5p_default()) >= 0 else { return nil }
      switch info.type {
      case H5L_TYPE_HARD: return nil
      case H5L_TYPE_SOFT: return "a link to another place"
      default: return "a link into another file"
      }
    }
  }
}

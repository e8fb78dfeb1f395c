/// What systems and tools leave beside samples: hidden files, Jupyter's copies, macOS' shadows, Windows' folders.
package enum Clutter {
  private static let names: Set<String> = [
    "__macosx", "__pycache__", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin",
    "system volume information", "@eadir", "#snapshot", "#recycle",
  ]

  /// Whether a file or folder of this name is no part of the data.
  package static func isOne(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") || names.contains(name.lowercased())
  }

  /// Returns the first part of a path that is no part of the data, with what leads to it; nil if all of it is data.
  package static func first(in path: String) -> String? {
    let parts = path.split(separator: "/")
    guard let bad = parts.firstIndex(where: { isOne($0) }) else { return nil }
    return parts[...bad].joined(separator: "/")
  }

  /// A line about names that an import leaves aside, or nil if there are none.
  package static func note(_ names: [String], _ reason: String) -> String? {
    guard !names.isEmpty else { return nil }
    let first = names.prefix(5).map { "`\($0)`" }.joined(separator: ", ")
    return "left aside: \(first)\(names.count > 5 ? " and \(names.count - 5) more" : ""): \(reason)"
  }

  /// Why clutter is left aside.
  package static let reason = "such names are no part of the data"
}

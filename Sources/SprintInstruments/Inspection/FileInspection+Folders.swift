import Foundation
import SprintFormats

extension FileInspection {
  /// A folder that is no run: weights, event files, a source of latents, pictures, or anything else.
  static func folder(_ path: String, _ names: [String], _ importHint: (String) -> String?) throws -> FileInspection {
    let shown = names.filter { !isJunk($0) }
    guard !shown.isEmpty else {
      return FileInspection(what: "folder without files", notes: aside(names))
    }
    if let weights = try weights(path, shown) { return weights }
    if let images = try images(path, shown) { return images }
    let hint = importHint(path) ?? "nothing in it that sprint knows by its name"
    return FileInspection(
      what: "folder of \(shown.count) files and folders", notes: [hint] + aside(names),
      entries: shown.map { Entry(name: isFolder("\(path)/\($0)") ? "\($0)/" : $0) })
  }

  /// A folder with one file of weights, or with the index of several.
  private static func weights(_ path: String, _ names: [String]) throws -> FileInspection? {
    let shards = names.filter { $0.hasSuffix(".safetensors") }
    guard let collection = try? SafetensorsCollection(path: path), !shards.contains(where: { $0.hasPrefix("latents_") })
    else { return nil }
    return FileInspection(
      what: "folder of weights, \(collection.files.count) tensors in \(collection.paths.count) safetensors files",
      notes: [
        "name the folder, or \((collection.path as NSString).lastPathComponent) in it, where weights are expected"
      ],
      entries: names.map { Entry(name: $0) })
  }

  // MARK: Pictures

  private static let pictureEndings: Set = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]

  private static func isPicture(_ name: String) -> Bool {
    pictureEndings.contains((name as NSString).pathExtension.lowercased()) && !isJunk(name)
  }

  /// A folder of pictures, or of one folder of pictures for each class.
  private static func images(_ path: String, _ names: [String]) throws -> FileInspection? {
    let classes = try names.filter { isFolder("\(path)/\($0)") }.map { name in
      (name: name, names: try FolderListing("\(path)/\(name)").names)
    }
    let own = names.filter(isPicture)
    let filled = classes.filter { $0.names.contains(where: isPicture) }
    let pictures = own + filled.flatMap { $0.names.filter(isPicture) }
    guard !pictures.isEmpty, filled.isEmpty || pictures.count > own.count else { return nil }
    let rest = classes.filter { !$0.names.contains(where: isPicture) }.map { "\($0.name)/" }
    let junk = filled.reduce(0) { $0 + $1.names.filter { !isPicture($0) }.count }
    let counts = filled.map { $0.names.filter(isPicture).count }
    let spread = counts.min().map { "\($0) to \(counts.max() ?? 0) pictures each" } ?? "no folders of classes"
    return FileInspection(
      what: "folder of \(pictures.count) pictures (\(endings(pictures))), "
        + (filled.isEmpty ? spread : "\(filled.count) classes, \(spread)"),
      notes: ["sprint trains on latents, which an autoencoder makes of pictures; it reads no pictures"]
        + (rest.isEmpty ? [] : ["folders without pictures, no classes: \(listed(rest))"])
        + (junk > 0 ? ["\(junk) other files in the folders of classes"] : []) + aside(names),
      entries: filled.map { Entry(name: $0.name, type: "\($0.names.filter(isPicture).count) pictures") })
  }

  /// Names that systems and editors leave behind.
  private static func isJunk(_ name: String) -> Bool {
    name.hasPrefix(".") || ["__MACOSX", "lost+found", "Thumbs.db", "desktop.ini"].contains(name)
  }

  private static func aside(_ names: [String]) -> [String] {
    let junk = names.filter(isJunk)
    return junk.isEmpty ? [] : ["left aside: \(listed(junk))"]
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}

import Foundation
import SprintFormats

/// The .npy files and the tables `dataset.json` of a source: a folder, with the folders below it, or a zip. Names are
/// paths from its top on, with `/`, whatever separator an archive has.
struct SampleFiles: Sendable {
  /// The folder or the archive.
  let path: String
  /// The arrays, in ascending order.
  let arrays: [String]
  /// The tables.
  let tables: [String]
  /// What is left aside.
  let clutter: [String]
  private let archive: ZipArchive?
  /// The names of an archive that are written in another way, such as with `\`.
  private let written: [String: String]

  static let tableName = "dataset.json"
  /// PARENT/LAYOUT/vae-sd/00000/FILE
  private static let depth = 5

  /// - Parameters:
  ///   - path: the folder, or a zip
  ///   - inner: a folder that holds everything if it is there
  init(_ path: String, inner: String) throws {
    let nested = "\(path)/\(inner)"
    self.path = FolderListing.isFolder(nested) ? nested : path
    var found = SourceFolder.Found()
    if FolderListing.isFolder(self.path) {
      (archive, written) = (nil, [:])
      found = try SourceFolder(self.path).walk(depth: Self.depth, Self.isWanted)
      if self.path != path, found.files.allSatisfy({ !Self.isTable($0) }),
        FileManager.default.fileExists(atPath: "\(path)/\(Self.tableName)")
      {
        found.files.append("../\(Self.tableName)")
      }
    } else {
      let archive = try ZipArchive(reading: path)
      let names = archive.names.map { ($0, Self.plain($0)) }
      written = try Self.table(names.filter { $0 != $1 }, path)
      for (_, name) in names where Self.isWanted(String(name.split(separator: "/").last ?? "")) {
        if let clutter = Clutter.first(in: name) { found.clutter.append(clutter) } else { found.files.append(name) }
      }
      self.archive = archive
    }
    arrays = found.files.filter { !Self.isTable($0) }.sorted(by: NameOrder.isBefore)
    tables = found.files.filter { Self.isTable($0) }.sorted(by: NameOrder.isBefore)
    clutter = Set(found.clutter).sorted(by: NameOrder.isBefore)
  }

  private static func isWanted(_ name: String) -> Bool { name.hasSuffix(".npy") || name == tableName }

  private static func isTable(_ name: String) -> Bool { name == tableName || name.hasSuffix("/\(tableName)") }

  /// Returns a path with `/` between its parts, without `.` and empty parts.
  static func plain(_ name: String) -> String {
    guard name.contains("\\") || name.hasPrefix(".") || name.contains("/./") || name.contains("//") else { return name }
    let parts = name.replacing("\\", with: "/").split(separator: "/", omittingEmptySubsequences: false)
    let first = parts.first == "" ? "/" : ""
    return first + parts.filter { $0 != "." && $0 != "" }.joined(separator: "/") + (parts.last == "" ? "/" : "")
  }

  private static func table(_ names: [(written: String, plain: String)], _ path: String) throws -> [String: String] {
    var table: [String: String] = [:]
    for name in names {
      guard table.updateValue(name.written, forKey: name.plain) == nil else {
        throw FileError.unusable(path: path, problem: "holds `\(name.plain)` twice, with different separators")
      }
    }
    return table
  }

  /// Returns the folder of a name, with the `/` behind it.
  static func folder(of name: String) -> String {
    name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
  }

  /// Returns a name without its ending.
  static func stem(of name: String) -> String {
    let folder = folder(of: name)
    let file = name.dropFirst(folder.count)
    return folder + (file.lastIndex(of: ".").map { file[..<$0] } ?? file)
  }

  /// Returns folder and last digits of a name; nothing if it has none.
  static func number(of name: String) -> String {
    let digits = stem(of: name).reversed().prefix { $0.isASCII && $0.isNumber }
    return digits.isEmpty ? "" : folder(of: name) + String(digits.reversed())
  }

  /// Returns the only table of the source, or nil if it has none. A table counts if arrays lie beside it or one folder
  /// below; if that holds for none, all count.
  func table() throws -> String? {
    let folders = Set(arrays.map(Self.folder))
    let near = tables.filter { table in
      let own = Self.folder(of: table)
      return folders.contains {
        $0 == own || $0.hasPrefix(own) && $0.dropFirst(own.count).filter { $0 == "/" }.count == 1
      }
    }
    let candidates = near.isEmpty ? tables : near
    guard candidates.count <= 1 else {
      throw FileError.unusable(
        path: path,
        problem: "holds several tables of classes: \(candidates.prefix(5).map { "`\($0)`" }.joined(separator: ", ")); "
          + "name the folder of one of them, or name its classes", remedy: ImportRemedy.nameLabels)
    }
    return candidates.first
  }

  /// Returns the bytes of a file.
  func contents(of name: String) throws -> Data {
    guard let archive else { return try RandomAccessFile(reading: "\(path)/\(name)").contents() }
    return try archive.contents(of: written[name] ?? name)
  }

  /// Reads an array.
  func array(_ name: String) throws -> NPYArray {
    archive == nil ? try NPYArray(path: "\(path)/\(name)") : try NPYArray(contents(of: name), name: name)
  }

  /// The file that a name lies in.
  func file(of name: String) -> String { archive == nil ? "\(path)/\(name)" : path }
}

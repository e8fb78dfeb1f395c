import Foundation
import SprintFormats

/// `NNNNN/PREFIXNNNNNNNN.npy` with `dataset.json`, in a folder or a zip. Several layouts share these files.
struct NumberedFiles: LatentSource {
  let shape: SourceShape
  private let path: String
  private let archive: ZipArchive?
  private let table: LabelTable

  /// - Parameters:
  ///   - path: the folder, or a folder that contains it under the name `inner`, or a zip
  ///   - prefix: the beginning of the files' names
  ///   - labels: names the classes; see `LabelTable`
  init(_ path: String, inner: String, prefix: String, moments: Bool, labels: String?) throws {
    let nested = "\(path)/\(inner)"
    self.path = SourceFolder.isFolder(nested) ? nested : path
    let (path, archive) = (self.path, SourceFolder.isFolder(path) ? nil : try ZipArchive(reading: path))
    self.archive = archive
    table = try LabelTable(labels, own: try Self.ownLabels(path, archive), of: path) {
      func isWanted(_ name: String) -> Bool {
        name.hasSuffix(".npy") && (name.split(separator: "/").last ?? "").hasPrefix(prefix)
      }
      return try archive?.names.filter(isWanted) ?? SourceFolder(path).filesInFolders(isWanted)
    }
    let first = table.name(0)
    shape = try naming(sample: first, in: path) {
      try SourceShape(Self.array(first, path, archive).shape, moments: moments)
    }
  }

  /// Returns the bytes of `dataset.json`, or nil if the source does not have it.
  private static func ownLabels(_ path: String, _ archive: ZipArchive?) throws -> Data? {
    if let archive { return archive.has("dataset.json") ? try archive.contents(of: "dataset.json") : nil }
    let file = "\(path)/dataset.json"
    return FileManager.default.fileExists(atPath: file) ? try RandomAccessFile(reading: file).contents() : nil
  }

  var count: Int { table.count }

  var contents: String { table.fingerprint }

  func files(_ index: Int) -> [String] { [archive == nil ? "\(path)/\(table.name(index))" : path] }

  func name(_ index: Int) -> String { table.name(index) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    try Self.array(table.name(index), path, archive).floats(of: shape, into: values)
    return table.label(index)
  }

  private static func array(_ name: String, _ path: String, _ archive: ZipArchive?) throws -> NPYArray {
    guard let archive else { return try NPYArray(path: "\(path)/\(name)") }
    return try NPYArray(archive.contents(of: name), name: name)
  }
}

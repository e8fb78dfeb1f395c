import Foundation
import SprintFormats

/// `NNNNN/img-mean-std-NNNNNNNN.npy` or `NNNNN/img-latents-NNNNNNNN.npy` with `dataset.json`, in a folder or a zip: the layouts of REPA, EDM2 and
/// SpeedrunDiT.
struct NumberedFiles: LatentSource {
  let shape: SourceShape
  private let path: String
  private let archive: ZipArchive?
  private let table: LabelTable

  /// - Parameters:
  ///   - path: the folder, one that contains it under the name `inner`, or a zip
  ///   - prefix: how the files' names begin
  init(_ path: String, inner: String, prefix: String, moments: Bool, labels: String?) throws {
    let nested = "\(path)/\(inner)"
    self.path = SourceFolder.isFolder(nested) ? nested : path
    let (path, archive) = (self.path, SourceFolder.isFolder(path) ? nil : try ZipArchive(reading: path))
    self.archive = archive
    let own: Data?
    if let archive {
      own = archive.has("dataset.json") ? try archive.contents(of: "dataset.json") : nil
    } else {
      let file = "\(path)/dataset.json"
      own = FileManager.default.fileExists(atPath: file) ? try RandomAccessFile(reading: file).contents() : nil
    }
    table = try LabelTable(labels, own: own, of: path) {
      func isWanted(_ name: String) -> Bool {
        name.hasSuffix(".npy") && (name.split(separator: "/").last ?? "").hasPrefix(prefix)
      }
      return try archive?.names.filter(isWanted) ?? SourceFolder(path).filesInFolders(isWanted)
    }
    let first = table.name(0)
    shape = try ImportError.naming(first, in: path) { [table] in
      try SourceShape(Self.array(table.name(0), path, archive).shape, moments: moments)
    }
  }

  var count: Int { table.count }

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

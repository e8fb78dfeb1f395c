import Foundation
import SprintFormats

/// `NNNNN/PREFIXNNNNNNNN.npy` with `dataset.json`, in a folder or a zip. Several layouts share these files.
struct NumberedFiles: LatentSource {
  let shape: SourceShape
  let notes: [String]
  private let files: SampleFiles
  private let table: LabelTable

  /// - Parameters:
  ///   - path: the folder, or a folder that contains it under the name `inner`, or a zip
  ///   - prefix: the beginning of the files' names
  ///   - labels: names the classes; see `LabelTable`
  init(_ path: String, inner: String, prefix: String, moments: Bool, labels: String?) throws {
    let files = try SampleFiles(path, inner: inner)
    let own = labels == nil ? try files.table() : nil
    let (table, notes) = try LabelTable.make(
      labels, own: own.map { ($0, try files.contents(of: $0)) }, of: files.path, names: files.arrays,
      counts: { ($0.split(separator: "/").last ?? "").hasPrefix(prefix) })
    shape = try SourceShape.ofMost(table.count, in: files.path, table.name) {
      try SourceShape(files.array(table.name($0)).sampleExtents(), moments: moments)
    }
    (self.files, self.table) = (files, table)
    self.notes = notes + [Clutter.note(files.clutter, Clutter.reason)].compactMap(\.self)
  }

  var count: Int { table.count }

  var contents: String { table.fingerprint }

  func files(_ index: Int) -> [String] { [files.file(of: table.name(index))] }

  func name(_ index: Int) -> String { table.name(index) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    try files.array(table.name(index)).floats(of: shape, into: values)
    return table.label(index)
  }
}

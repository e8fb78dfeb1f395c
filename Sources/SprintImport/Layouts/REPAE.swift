import Foundation
import SprintFormats

extension ImportLayout {
  /// One HDF5 file: moments, scaled by statistics. The layout of REPA-E.
  static let repaE = ImportLayout(
    name: "repa-e",
    recognise: { !$0.isFolder && ["h5", "hdf5"].contains($0.ending) ? .certain(.name) : nil },
    open: { path, options in try SampleDatasets(path, labels: options.labels) },
    takesLabels: true,
    scaling: nil,
    secondHalf: .std)
}

/// One HDF5 data set an image, `/00000/img-mean-std-00000000.npy`, and the text `dataset.json`.
private struct SampleDatasets: LatentSource {
  let shape: SourceShape
  let notes: [String]
  private let file: HDF5File
  private let table: LabelTable

  init(_ path: String, labels: String?) throws {
    let file = try HDF5File(reading: path)
    for own in ["/moments", "/latents"] where file.has(own) {
      throw FileError.unusable(path: path, problem: "holds \(own): train on it as it is, there is nothing to import")
    }
    let own = file.has("/\(SampleFiles.tableName)") ? try file.text(dataset: "/\(SampleFiles.tableName)") : nil
    var (names, clutter): ([String], [String]) = ([], [])
    for group in try file.names(in: "/") where group != SampleFiles.tableName {
      guard !Clutter.isOne(group) else {
        clutter.append(group)
        continue
      }
      names += try file.names(in: "/\(group)").map { "\(group)/\($0)" }
    }
    clutter += names.filter { Clutter.first(in: $0) != nil }
    names.removeAll { Clutter.first(in: $0) != nil }
    let (table, notes) = try LabelTable.make(
      labels, own: own.map { (SampleFiles.tableName, Data($0.utf8)) }, of: path,
      names: names.sorted(by: NameOrder.isBefore)
    ) { _ in true }
    self.file = file
    self.table = table
    self.notes = notes + [Clutter.note(clutter, Clutter.reason)].compactMap(\.self)
    shape = try SourceShape.ofMost(table.count, in: path, table.name) {
      try SourceShape(file.describe("/\(table.name($0))", isEntry: true).shape, moments: true)
    }
  }

  var count: Int { table.count }

  var contents: String { table.fingerprint }

  func files(_ index: Int) -> [String] { [file.path] }

  func name(_ index: Int) -> String { table.name(index) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    let name = "/\(table.name(index))"
    let found = try file.describe(name)
    guard found.number?.isFloat == true else {
      throw UnfitSample("of \(found.type), expected float32 or float16")
    }
    try shape.check(found.shape)
    try file.floats(name, into: values)
    return table.label(index)
  }
}

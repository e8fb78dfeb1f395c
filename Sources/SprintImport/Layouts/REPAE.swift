import SprintFormats

extension ImportLayout {
  /// One HDF5 file: moments, scaled by statistics. The layout of REPA-E.
  static let repaE = ImportLayout(
    name: "repa-e",
    recognise: { !$0.isFolder && ["h5", "hdf5"].contains($0.ending) ? .certain(.name) : nil },
    open: { path, labels in try SampleDatasets(path, labels: labels) },
    takesLabels: true,
    scaling: nil,
    secondHalf: .std)
}

/// One HDF5 data set an image, `/00000/img-mean-std-00000000.npy`, and the text `dataset.json`.
private struct SampleDatasets: LatentSource {
  let shape: SourceShape
  private let file: HDF5File
  private let table: LabelTable

  init(_ path: String, labels: String?) throws {
    let file = try HDF5File(reading: path)
    for own in ["/moments", "/latents"] where file.has(own) {
      throw FileError.unusable(path: path, problem: "holds \(own): train on it as it is, there is nothing to import")
    }
    let json = file.has("/dataset.json") ? try file.text(dataset: "/dataset.json") : nil
    table = try LabelTable(labels, own: json.map { .init($0.utf8) }, of: path) {
      try file.names(in: "/").filter { $0 != "dataset.json" }.flatMap { group in
        try file.names(in: "/\(group)").map { "\(group)/\($0)" }
      }
    }
    self.file = file
    let first = table.name(0)
    shape = try naming(sample: first, in: path) {
      try SourceShape(try file.describe("/\(first)", isEntry: true).shape, moments: true)
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
    guard found.shape == shape.extents else {
      throw UnfitSample("of shape \(found.shape), the first one has \(shape.extents)")
    }
    try file.floats(name, into: values)
    return table.label(index)
  }
}

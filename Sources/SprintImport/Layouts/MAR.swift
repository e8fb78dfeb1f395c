import SprintData
import SprintFormats

extension ImportLayout {
  /// `SYNSET/FILE.JPEG.npz`: moments of the KL-16 autoencoder, with logarithms of variances. The layout of MAR.
  static let mar = ImportLayout(
    name: "mar",
    recognise: { $0.innerNames.contains { $0.hasSuffix(".npz") } ? .certain(.endingInside) : nil },
    open: { path, _ in try ArchivePerImage(path) },
    scaling: PublishedAutoencoder.kl16.scaling,
    autoencoder: PublishedAutoencoder.kl16.name,
    secondHalf: .logVariance)
}

/// One npz an image with `moments` and optionally `moments_flip` (2C, S, S), in one folder a class: the class is the
/// place of the folder among the sorted folders.
private struct ArchivePerImage: LatentSource {
  let shape: SourceShape
  private let path: String
  private let table: LabelTable

  init(_ path: String) throws {
    self.path = path
    let folders = try SourceFolder(path).folders()
    let pairs = try folders.enumerated().flatMap { label, folder in
      try SourceFolder("\(path)/\(folder)").names().filter { $0.hasSuffix(".npz") }.map { ("\(folder)/\($0)", label) }
    }
    table = try LabelTable(pairs, of: path)
    let first = table.name(0)
    shape = try naming(sample: first, in: path) {
      let archive = try ZipArchive(reading: "\(path)/\(first)")
      return try SourceShape(
        Self.array("moments", archive).shape, moments: true, flipped: archive.has("moments_flip.npy"))
    }
  }

  var count: Int { table.count }

  var contents: String { table.fingerprint }

  func files(_ index: Int) -> [String] { ["\(path)/\(table.name(index))"] }

  func name(_ index: Int) -> String { table.name(index) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    let archive = try ZipArchive(reading: "\(path)/\(table.name(index))")
    try Self.array("moments", archive).floats(of: shape, into: values)
    if let flipped { try Self.array("moments_flip", archive).floats(of: shape, into: flipped) }
    return table.label(index)
  }

  private static func array(_ name: String, _ archive: ZipArchive) throws -> NPYArray {
    try NPYArray(archive.contents(of: "\(name).npy"), name: "\(archive.path): \(name)")
  }
}

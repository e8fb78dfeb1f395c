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
/// place of the folder among the sorted folders that hold samples.
private struct ArchivePerImage: LatentSource {
  let shape: SourceShape
  let notes: [String]
  private let path: String
  private let table: LabelTable

  init(_ path: String) throws {
    let folders = ClassFolders(try SourceFolder(path).folders())
    let found = try SourceFolder(path).walk(depth: 2) { $0.hasSuffix(".npz") }
    let names = found.files.filter { $0.contains("/") }
    let classes = Set(names.map { String(SampleFiles.folder(of: $0).dropLast()) }).sorted(by: NameOrder.isBefore)
    let labels = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
    let table = try LabelTable(
      names.map { ($0, labels[String(SampleFiles.folder(of: $0).dropLast())] ?? 0) }, of: path)
    shape = try SourceShape.ofMost(table.count, in: path, table.name) {
      let archive = try ZipArchive(reading: "\(path)/\(table.name($0))")
      return try SourceShape(
        Self.array("moments", archive).shape, moments: true, flipped: archive.has("moments_flip.npy"))
    }
    (self.path, self.table) = (path, table)
    notes = folders.notes(classes) + [Clutter.note(found.clutter, Clutter.reason)].compactMap(\.self)
  }

  var count: Int { table.count }

  var contents: String { table.fingerprint }

  func files(_ index: Int) -> [String] { ["\(path)/\(table.name(index))"] }

  func name(_ index: Int) -> String { table.name(index) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    let archive = try ZipArchive(reading: "\(path)/\(table.name(index))")
    try read("moments", of: archive, into: values)
    if let flipped { try read("moments_flip", of: archive, into: flipped) }
    return table.label(index)
  }

  private func read(_ name: String, of archive: ZipArchive, into values: UnsafeMutableBufferPointer<Float>) throws {
    let array = try Self.array(name, archive)
    try shape.check(array.shape)
    try array.floats(into: values)
  }

  private static func array(_ name: String, _ archive: ZipArchive) throws -> NPYArray {
    try NPYArray(archive.contents(of: "\(name).npy"), name: "\(archive.path): \(name)")
  }
}

/// The folders of a source with a folder for each class.
private struct ClassFolders {
  private let all: [String]

  init(_ all: [String]) { self.all = all }

  /// ImageNet's names of classes: `n` and eight digits.
  private static func isSynset(_ name: String) -> Bool {
    name.utf8.count == 9 && name.hasPrefix("n") && name.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
  }

  /// Returns lines about folders without samples, and about folders that may be no classes.
  ///
  /// - Parameter classes: the folders with samples, in ascending order
  func notes(_ classes: [String]) -> [String] {
    let synsets = classes.filter(Self.isSynset)
    let empty = all.filter { !classes.contains($0) }
    let missing = synsets.isEmpty ? [] : empty.filter(Self.isSynset)
    let junk = empty.filter { !missing.contains($0) }
    let odd = synsets.count * 2 > classes.count ? classes.filter { !Self.isSynset($0) } : []
    return [
      Clutter.note(junk, "they hold no sample, so they are no classes"),
      Clutter.note(
        missing, "they hold no sample, so the folders after them have lower classes than in a complete ImageNet"),
      odd.isEmpty
        ? nil
        : "`\(odd[0])`\(odd.count > 1 ? " and \(odd.count - 1) more" : "") of \(classes.count) folders with samples "
          + "are not named like ImageNet's classes; they count as classes too, from "
          + "\(classes.firstIndex(of: odd[0]) ?? 0) on; move them away if they are none",
    ].compactMap(\.self)
  }
}

import SprintFormats

/// A data set that an import writes, with one entry a sample.
struct ImportedSet: Sendable, Equatable {
  /// The path in the file.
  let name: String
  /// The extents of an entry.
  let extents: [Int]
  let element: HDF5File.Element
  /// Texts that say what the numbers are, by name.
  var attributes: [String: String] = [:]

  /// Bytes of an entry.
  var bytes: Int { extents.reduce(element.bytes, *) }

  /// A text that stands for the data set.
  var recipe: String { "\(name) \(extents) \(element) \(sortedAttributes)" }

  private var sortedAttributes: [(key: String, value: String)] { attributes.sorted { $0.key < $1.key } }

  /// The classes.
  static let labels = ImportedSet(name: "/labels", extents: [], element: .int64)

  /// Reserves room for `count` entries.
  func reserve(in file: HDF5File, count: Int) throws {
    _ = try file.reserve(name, shape: [count] + extents, of: element)
    for (key, text) in sortedAttributes { try file.write(attribute: key, text, of: name) }
  }
}

extension SourceShape {
  /// The name of the data set that holds samples of this shape.
  func setName(mirrored: Bool) -> String { (hasMoments ? "/moments" : "/latents") + (mirrored ? "_flip" : "") }

  /// The data sets of samples of this shape and of their classes.
  func sets(isHalf: Bool) -> [ImportedSet] {
    (hasFlipped ? [false, true] : [false]).map {
      ImportedSet(name: setName(mirrored: $0), extents: extents, element: isHalf ? .float16 : .float32)
    } + [.labels]
  }
}

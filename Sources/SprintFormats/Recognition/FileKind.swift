/// What a file is by its content, whatever its name ends in. The raw value is what messages call it.
package enum FileKind: String, Sendable, CaseIterable {
  case safetensors = "a safetensors file"
  case safetensorsIndex = "the index of a safetensors file in shards"
  case hdf5 = "an HDF5 file"
  case npy = "an npy array"
  case npz = "an npz archive of arrays"
  case zip = "a zip archive"
  case torch = "a PyTorch file (a pickle)"
  case pickle = "a pickle"
  case lmdb = "an LMDB database"
  case png = "a PNG picture"
  case jpeg = "a JPEG picture"
  case otherPicture = "a GIF, WebP or TIFF picture"
  case events = "an event file of TensorBoard"
  case json = "a JSON text"
  case yaml = "a YAML text"
  case text = "a text"
  case foreignText = "a text that is not UTF-8"
  case gitPointer = "a Git LFS pointer, not the file itself"
  case webPage = "a web page or an XML answer of a server"
  case gzip = "a file packed by gzip"
  case packed = "a file packed by bzip2, xz, zstd, 7z or rar"
  case tar = "a tar archive"
  case gguf = "a GGUF file"
  case parquet = "a Parquet or Arrow table"
  case appleDouble = "an AppleDouble file, in which macOS keeps attributes of another file"
  case zeros = "a file that begins with zeros only"
  case empty = "an empty file"
  case unknown = "a file of no known kind"

  /// What to do where something else was expected; nil where only another file helps.
  package var remedy: String? {
    switch self {
    case .gitPointer: "fetch the file with `git lfs pull`"
    case .webPage:
      "the download gave a page, such as a login or an error, instead of the file: open the link in a browser"
    case .gzip, .packed, .tar, .zip: "unpack it first"
    case .safetensorsIndex: "name the shards that it lists"
    case .empty, .zeros: "copy or download it again"
    case .appleDouble: "remove it, or name the file without `._`"
    case .foreignText: "save it as UTF-8"
    default: nil
    }
  }
}

extension FileError {
  /// The error of a file that is something else than expected. Nil where its content does not say what it is, or says
  /// that it is what was expected: the file is damaged then, and its reader knows how.
  package static func otherKind(_ path: String, expected: FileKind...) -> FileError? {
    guard let found = try? FileKind(path: path), found != .unknown, !expected.contains(found) else { return nil }
    if let pickle = Pickle.refusal(of: path, found) { return pickle }
    let remedy = found.remedy.map { "; \($0)" } ?? ""
    return .unusable(
      path: path, problem: "\(found.rawValue), expected \(expected.map(\.rawValue).joined(separator: " or "))\(remedy)")
  }
}

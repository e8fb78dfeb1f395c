import SprintFormats
import SprintKernels

/// What a file holds of a teacher: `/features/NAME` [N, tokens, F], `/class_tokens/NAME` [N, F] and attention; of
/// mirrored images in `/features_flip/NAME` and so on.
struct StoredTeacher: Sendable {
  private let features, classTokens: StoredArray?
  private let attention: StoredAttention?

  /// Throws unless the file holds what is named, for `count` samples.
  init(
    _ file: HDF5File, _ stored: StoredFile, _ names: TeacherNames, mirrored: Bool, _ count: Int
  ) throws {
    func array(_ group: TeacherGroup, _ name: String?, _ entry: String...) throws -> StoredArray? {
      try name.map { name in
        let path = group.path(name, mirrored: mirrored)
        let extents = "[\(count), \(entry.joined(separator: ", "))]"
        guard file.has(path) else { throw Self.missing(path, "\(path) \(extents)", mirrored: mirrored, in: file) }
        let array = try StoredArray(file, stored, path)
        guard array.shape.count == entry.count + 1, array.shape[0] == count, array.shape.allSatisfy({ $0 > 0 }) else {
          throw FileError.unusable(
            path: file.path, problem: "\(path) has shape \(array.shape), expected \(extents)")
        }
        return array
      }
    }
    features = try array(.features, names.features, "tokens", "F")
    classTokens = try array(.classTokens, names.classTokens, "F")
    attention = try names.attention.map { try StoredAttention(file, stored, $0, mirrored: mirrored, count) }
  }

  /// The error of a file that holds nothing of a teacher under a name.
  static func missing(_ path: String, _ expected: String, mirrored: Bool, in file: HDF5File) -> FileError {
    let group = String(path.split(separator: "/")[0])
    let found = ((try? file.names(in: group)) ?? []).prefix(8).map { "/\(group)/\($0)" }.joined(separator: ", ")
    return .unusable(
      path: file.path,
      problem: "holds no \(path)\(found.isEmpty ? "" : ", but \(found)"), expected \(expected)"
        + (mirrored ? " of the mirrored images; without them set `data.flip` to false" : ""))
  }

  /// The names of the data sets.
  var names: [String] { [features, classTokens].compactMap { $0?.name } + (attention?.names ?? []) }

  /// Tokens and width of the features; nil without.
  var featureShape: (tokens: Int, width: Int)? { features.map { ($0.shape[1], $0.shape[2]) } }
  /// F of the class tokens; nil without.
  var classTokenWidth: Int? { classTokens?.shape[1] }
  /// The extents of the attention; nil without.
  var attentionShape: AttentionShape? { attention?.shape }

  /// Returns how another file's teacher differs in shape, or nil if it does not.
  func difference(from other: StoredTeacher) -> String? {
    func text(_ name: String, _ own: [Int]?, _ other: [Int]?) -> String? {
      own == other ? nil : "\(name) \(own ?? []) instead of \(other ?? [])"
    }
    return text("features", features?.entryShape, other.features?.entryShape)
      ?? text("class tokens", classTokens?.entryShape, other.classTokens?.entryShape)
      ?? (attentionShape == other.attentionShape ? nil : "attention of another shape")
  }

  /// Reads the features of entry `index`: [tokens, F].
  func readFeatures(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    guard let features else { preconditionFailure("the file was opened without features") }
    try features.readFinite(index, into: target)
  }

  /// Reads the class token of entry `index`: [F].
  func readClassToken(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    guard let classTokens else { preconditionFailure("the file was opened without class tokens") }
    try classTokens.readFinite(index, into: target)
  }

  /// Reads what `request` asks for of the attention of entry `index`.
  func readAttention(
    _ index: Int, _ request: AttentionRequest, draw: UInt64, into target: Vector<Float>, scratch: Vector<Float>
  ) throws {
    guard let attention else { preconditionFailure("the file was opened without attention") }
    try attention.read(index, request, draw: draw, into: target, scratch: scratch)
  }
}

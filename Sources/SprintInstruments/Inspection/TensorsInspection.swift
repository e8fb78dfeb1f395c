import SprintFormats

/// The tensors and the metadata of a safetensors file.
struct TensorsInspection: Inspected {
  /// One tensor.
  struct Tensor: Encodable {
    let name, type: String
    let shape: [Int]
  }

  let tensors: [Tensor]
  let elements: Int
  let metadata: [String: String]
  private let notes: [String]
  private static let (mostTensors, mostMetadata, longestText) = (25, 6, 70)

  private enum CodingKeys: CodingKey {
    case tensors, elements, metadata
  }

  init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    tensors = file.entries.sorted { $0.key < $1.key }
      .map { Tensor(name: $0.key, type: $0.value.type, shape: $0.value.shape) }
    elements = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    metadata = file.metadata
    let shard = SafetensorsIndex.shard(path).map { "shard \($0.number) of \($0.count); their index is \($0.index)" }
    notes = [shard, Self.prefixes(tensors)].compactMap(\.self)
  }

  /// The first parts of the names, where they look like prefixes of sets of weights.
  private static func prefixes(_ tensors: [Tensor]) -> String? {
    let counts = tensors.reduce(into: [String: Int]()) { $0["\($1.name.prefix { $0 != "." }).", default: 0] += 1 }
    let known: Set = ["ema.", "model.", "module.", "_orig_mod.", "ema_model.", "model_ema.", "state_dict.", "net."]
    guard !counts.isEmpty, counts.keys.allSatisfy(known.contains) else { return nil }
    return "names begin with "
      + counts.sorted { $0.key < $1.key }.map { "`\($0.key)` (\($0.value))" }
      .joined(separator: ", ")
  }

  var lines: [String] {
    let texts = metadata.sorted { $0.key < $1.key }.prefix(Self.mostMetadata).map { key, value in
      let line = value.split(whereSeparator: \.isNewline).joined(separator: " ")
      return "  \(key): \(line.prefix(Self.longestText))\(line.count > Self.longestText ? "..." : "")"
    }
    let list = tensors.map { "  \($0.name) \($0.type) \($0.shape)" }
    return ["safetensors, \(tensors.count) tensors, \(elements) elements"] + notes.map { "  \($0)" } + texts
      + FileInspection.cut(list, to: Self.mostTensors)
  }
}

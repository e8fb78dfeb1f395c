/// Which of a file's tensors are the weights of a network. Their names may begin with a prefix, such as `ema.` or
/// `state_dict.model.`, and hold the names of PyTorch's wrappers anywhere.
struct WeightNames {
  /// The weights whose names begin with the same prefix.
  struct WeightSet {
    /// The beginning of the names, up to a dot; empty for published names.
    let prefix: String
    /// The names in the file, by published name.
    var names: [String: String] = [:]

    /// Whether the prefix says that these are a moving average.
    var isAverage: Bool {
      prefix.lowercased().split { !$0.isLetter }.contains { ["ema", "average", "averaged", "shadow"].contains($0) }
    }
  }

  /// The sets, the one with most weights first, and a moving average before other weights.
  let sets: [WeightSet]
  /// The other names of the file.
  private let others: [String]

  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]

  /// Sorts the names of a file.
  ///
  /// - Parameters:
  ///   - expected: the published names of the network's weights
  ///   - twice: makes an error of a published name and the two names in the file that stand for it
  init(_ names: some Sequence<String>, expected: Set<String>, _ twice: (String, String, String) -> any Error) throws {
    var (sets, others): ([String: WeightSet], [String]) = ([:], [])
    for name in names.sorted() {
      guard let (prefix, published) = Self.split(name, expected) else {
        others.append(name)
        continue
      }
      let other = sets[prefix, default: WeightSet(prefix: prefix)].names.updateValue(name, forKey: published)
      if let other { throw twice(published, other, name) }
    }
    self.sets = sets.values.sorted {
      ($0.names.count, $0.isAverage ? 1 : 0, $1.prefix) > ($1.names.count, $1.isAverage ? 1 : 0, $0.prefix)
    }
    self.others = others
  }

  /// Splits a name into a prefix and the longest end that is expected.
  private static func split(_ name: String, _ expected: Set<String>) -> (prefix: String, published: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains($0) }
    for first in parts.indices {
      let end = parts[first...].joined(separator: ".")
      if expected.contains(end) { return (parts[..<first].map { "\($0)." }.joined(), end) }
    }
    return nil
  }

  /// The names, without the prefix of `set`, of the tensors that belong to no set. Those that begin with the prefix of
  /// another set go with it.
  func surplus(beside set: WeightSet) -> [String] {
    let prefixes = sets.map(\.prefix).filter { $0 != set.prefix && !$0.isEmpty }
    return others.map { Self.withoutWrappers($0) }.filter { name in !prefixes.contains { name.hasPrefix($0) } }
      .map { $0.hasPrefix(set.prefix) ? String($0.dropFirst(set.prefix.count)) : $0 }
  }

  private static func withoutWrappers(_ name: String) -> String {
    name.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains($0) }
      .joined(separator: ".")
  }
}

extension WeightNames {
  /// What the names of another network's tensors say about it; nil if they are of none that is known.
  static func origin(of names: some Collection<String>) -> String? {
    let parts = Set(names.lazy.flatMap { $0.split(separator: ".").prefix(mostParts) })
    return signs.first { parts.contains($0.part[...]) }.map { "these are names of \($0.origin)" }
  }

  private static let mostParts = 8

  /// Parts of names that only one family of networks has.
  private static let signs: [(part: String, origin: String)] = [
    ("quant_conv", "an autoencoder"), ("conv_in", "an autoencoder or a U-Net"),
    ("transformer_blocks", "diffusers' networks, which sprint does not read"),
    ("single_transformer_blocks", "diffusers' networks, which sprint does not read"),
    ("down_blocks", "diffusers' networks, which sprint does not read"),
    ("to_q", "diffusers' networks, which sprint does not read"), ("input_blocks", "a U-Net"),
    ("double_blocks", "FLUX"), ("joint_blocks", "Stable Diffusion 3"),
    (
      "blocks",
      "networks such as DiT and SiT, whose blocks are numbered through; sprint's are encoder_blocks, middle_blocks and "
        + "decoder_blocks"
    ),
  ]
}

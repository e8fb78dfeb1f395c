import Yams

extension Node {
  /// Whether the node stands for a key that is left out: null, `~`, nothing, or an empty list.
  var isAbsent: Bool {
    switch self {
    case .scalar(let scalar): scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    case .sequence(let sequence): sequence.isEmpty
    default: false
    }
  }

  /// Returns the node with all merge keys replaced by the mappings that they name: `<<: *a` or `<<: [*a, *b]`. A
  /// mapping's own keys come before those that it merges, and earlier ones of a list before later ones.
  /// https://yaml.org/type/merge.html
  ///
  /// - Parameter source: the name of the document in messages
  func merged(_ source: String) throws -> Node {
    switch self {
    case .mapping(var mapping):
      let merges = mapping.filter { $0.key.isMerge }
      let own = try mapping.filter { !$0.key.isMerge }.map { ($0.key, try $0.value.merged(source)) }
      let others = try merges.flatMap { try $0.value.mappingsToMerge($0.key, source) }
      var keys = Set(own.map(\.0))
      let added = others.flatMap { Array($0) }.filter { keys.insert($0.key).inserted }.map { ($0.key, $0.value) }
      mapping = Mapping(own + added, mapping.tag, mapping.style, mapping.mark)
      return .mapping(mapping)
    case .sequence(let sequence):
      return .sequence(
        Sequence(try sequence.map { try $0.merged(source) }, sequence.tag, sequence.style, sequence.mark))
    default: return self
    }
  }

  private var isMerge: Bool { scalar.map { $0.string == "<<" && $0.style == .plain } ?? false }

  private func mappingsToMerge(_ key: Node, _ source: String) throws -> [Mapping] {
    let mappings = try (sequence.map(Array.init) ?? [self]).map { try $0.merged(source).mapping }
    guard !mappings.contains(nil) else {
      throw ConfigurationError(
        "\(source)\(key.mark.map { ":\($0.line)" } ?? "")", key: "<<", "has to name mappings, such as `<<: *first`")
    }
    return mappings.compactMap(\.self)
  }
}

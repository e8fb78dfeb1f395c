import CYaml

/// What a YAML document may hold. A few lines of aliases of aliases can stand for more than any memory holds, and the
/// parser compares keys by all that they stand for.
enum YAMLBounds {
  /// The most bytes of a document, and of what it grows to where each alias is replaced by its value.
  static let largest = 1 << 20
  /// What a value takes besides its text.
  private static let node = 16
  private static let deepest = 100

  /// Returns the line and the problem of a document that exceeds the bounds, such as `:3: ...`; nil for a good one, and
  /// for one that is not valid YAML.
  static func problem(in text: String) -> String? {
    guard text.utf8.count <= largest else { return ": \(text.utf8.count) bytes of YAML, expected at most \(largest)" }
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else { return nil }
    defer { yaml_parser_delete(parser) }
    return Array(text.utf8).withUnsafeBufferPointer { bytes in
      yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
      var growth = Growth()
      while true {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { return nil }
        defer { yaml_event_delete(&event) }
        if event.type == YAML_STREAM_END_EVENT { return nil }
        if let problem = growth.add(event) { return ":\(event.start_mark.line + 1): \(problem)" }
      }
    }
  }

  /// The size of what was parsed so far, with aliases replaced.
  private struct Growth {
    private var size = 0
    private var anchored: [String: Int] = [:]
    /// Anchors of the lists and mappings that are open, and the size before them.
    private var open: [(anchor: String?, before: Int)] = []

    /// Adds an event; returns what is wrong with the document.
    mutating func add(_ event: yaml_event_t) -> String? {
      switch event.type {
      case YAML_ALIAS_EVENT:
        size += YAMLBounds.node + (Self.text(event.data.alias.anchor).flatMap { anchored[$0] } ?? 0)
      case YAML_SCALAR_EVENT:
        let scalar = event.data.scalar
        let value = YAMLBounds.node + scalar.length
        size += value
        if let anchor = Self.text(scalar.anchor) { anchored[anchor] = value }
      case YAML_SEQUENCE_START_EVENT: begin(event.data.sequence_start.anchor)
      case YAML_MAPPING_START_EVENT: begin(event.data.mapping_start.anchor)
      case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
        if let (anchor, before) = open.popLast(), let anchor { anchored[anchor] = size - before }
      default: break
      }
      if open.count > YAMLBounds.deepest { return "values nest more than \(YAMLBounds.deepest) levels deep" }
      return size > YAMLBounds.largest
        ? "the document grows beyond \(YAMLBounds.largest) bytes where aliases are replaced by their values" : nil
    }

    private mutating func begin(_ anchor: UnsafeMutablePointer<UInt8>?) {
      open.append((Self.text(anchor), size))
      size += YAMLBounds.node
    }

    private static func text(_ anchor: UnsafeMutablePointer<UInt8>?) -> String? { anchor.map { String(cString: $0) } }
  }
}

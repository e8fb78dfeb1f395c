import SprintModel

extension TokenDrop {
  private enum Kind: String, CaseIterable {
    case structured, random, none
  }

  /// Reads the section `drop`: `{ratio: 0.75}`, `{kind: random, ratio: 0.3}`, `{group: 3, kept: 2}` or `{kind: none}`.
  init(
    _ reader: ConfigurationReader, default value: TokenDrop, _ model: ModelConfiguration, in stage: ConfigurationReader
  )
    throws
  {
    if stage.has("drop") {
      let kind: Kind = try reader.choice("kind", default: .structured)
      switch kind {
      case .none: self = .none
      case .random:
        self = .random(ratio: try reader.number("ratio", "a share from 0 to below 1") { $0 >= 0 && $0 < 1 })
      case .structured where reader.has("group") || reader.has("kept"):
        self = .structured(
          group: try reader.integer("group", in: ModelConfiguration.Limits.side), kept: try reader.integer("kept"))
      case .structured:
        let ratio = try reader.number("ratio")
        guard let published = TokenDrop.published[ratio] else {
          throw reader.error(
            "ratio",
            "is \(ratio), expected 0, 0.5, 0.625, 0.75 or 0.875, for which groups are published; "
              + "or give group and kept, or kind: random")
        }
        self = published
      }
      try reader.finish()
    } else {
      self = value
    }
    if let problem = problem(grid: model.grid, prefix: model.prefix) {
      throw stage.error("drop", "does not fit: \(problem)")
    }
  }
}

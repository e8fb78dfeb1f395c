import SprintModel

extension ModelConfiguration {
  /// Reads the section `model`: a published size, whose numbers single keys may replace, or all numbers.
  init(_ reader: ConfigurationReader) throws {
    let size = try Self.readSize(reader)
    let width = try reader.integer("width", default: size?.width, in: Limits.width)
    let heads = try reader.integer("heads", default: size?.heads, in: Limits.width)
    let depth = try reader.integers(
      "depth", default: size.map { [$0.depth.encoder, $0.depth.middle, $0.depth.decoder] },
      in: Limits.depth)
    guard depth.count == 3 else {
      throw reader.error("depth", "has \(depth.count) numbers, expected three: encoder, middle and decoder blocks")
    }
    self.init(
      width: width, heads: heads, depth: (depth[0], depth[1], depth[2]),
      side: try reader.integer("side", in: Limits.side),
      channels: try reader.integer("channels", in: Limits.side),
      patch: try reader.integer("patch", default: 2, in: Limits.side),
      classes: try reader.integer("classes", in: Limits.classes))
    mlpRatio = try reader.number("mlp_ratio", default: 4, "a positive number, at most 64", in: Limits.mlpRatio)
    ropeTheta = try reader.number("rope_theta", default: 10000, "a number from 0.001 to 1e12", in: Limits.ropeTheta)
    fusion = try reader.choice("fusion", default: .concatLinear)
    let mask: MaskToken = try reader.choice("mask_token", default: .fixed)
    (learnsMaskToken, startsMaskTokenAtZero) = (mask != .fixed, mask == .learnedFromZero)
    try readParts(reader)
    try reader.finish()
    if let problem { throw reader.error(problem.key, problem.message) }
  }

  /// Reads the parts that SPRINT's own network has otherwise, or not at all.
  private mutating func readParts(_ reader: ConfigurationReader) throws {
    norm = try reader.choice("norm", default: .layer)
    headNormEpsilon = try reader.number("qk_norm_epsilon", default: 1e-6, "a number from 0 to below 1", in: 0...1)
    mixesValues = try reader.boolean("value_residual", default: false)
    position = try reader.choice("position", default: .rotary)
    outputOrder = try reader.choice("output_order", default: .channelFirst)
    classToken = reader.has("class_token") ? try reader.integer("class_token", in: Limits.projector) : nil
  }

  private typealias Size = (width: Int, heads: Int, depth: (encoder: Int, middle: Int, decoder: Int))

  private static func readSize(_ reader: ConfigurationReader) throws -> Size? {
    guard reader.has("size") else { return nil }
    let name = try reader.text("size")
    guard let size = sizes[name] else {
      throw reader.error("size", "is `\(name)`, expected one of S, B, L, XL; or give width, heads and depth")
    }
    return size
  }

  private enum MaskToken: String, CaseIterable {
    case fixed, learned
    case learnedFromZero = "learned_from_zero"
  }
}

import SprintModel

extension ModelConfiguration {
  /// Reads the section `model`: a published size, whose numbers single keys may replace, or all numbers.
  init(_ reader: ConfigurationReader) throws {
    let size = try Self.readSize(reader)
    let width = try reader.integer("width", default: size?.width)
    let heads = try reader.integer("heads", default: size?.heads)
    let depth = try reader.integers(
      "depth", default: size.map { [$0.depth.encoder, $0.depth.middle, $0.depth.decoder] })
    guard depth.count == 3 else {
      throw reader.error("depth", "has \(depth.count) numbers, expected three: encoder, middle and decoder blocks")
    }
    self.init(
      width: width, heads: heads, depth: (depth[0], depth[1], depth[2]),
      side: try reader.integer("side", in: 1...4096),
      channels: try reader.integer("channels", in: 1...4096),
      patch: try reader.integer("patch", default: 2, in: 1...4096),
      classes: try reader.integer("classes", in: 1...1_000_000))
    mlpRatio = try reader.number("mlp_ratio", default: 4, "a positive number, at most 64") { $0 > 0 && $0 <= 64 }
    ropeTheta = try reader.number("rope_theta", default: 10000, "a positive number") { $0 > 0 }
    fusion = try reader.choice("fusion", default: .concatLinear)
    let mask: MaskToken = try reader.choice("mask_token", default: .fixed)
    learnsMaskToken = mask == .learned
    try reader.finish()
    if let problem { throw reader.error(problem.key, problem.message) }
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
  }
}

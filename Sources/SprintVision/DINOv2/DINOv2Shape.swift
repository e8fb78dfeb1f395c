import SprintFormats

/// The extents of a DINOv2 network, as the shapes of its tensors say them. arXiv 2304.07193.
struct DINOv2Shape: Sendable, Equatable {
  /// D, a multiple of 64: every head is 64 wide.
  let width: Int
  /// The number of blocks.
  let depth: Int
  /// The width inside of the two-layer networks.
  let hidden: Int
  /// The side of a square patch in pixels.
  let patch: Int
  /// Positions along one side of the stored table.
  let tableSide: Int
  /// R, the tokens between the class token and the patches.
  let registers: Int
  /// Whether the stored table begins with the class token's position.
  let hasClassPosition: Bool

  /// H
  var heads: Int { width / Self.headWidth }
  /// Tokens before those of the patches: the class token and the registers.
  var prefix: Int { 1 + registers }
  /// The numbers of a patch: three channels of its pixels.
  var patchCount: Int { 3 * patch * patch }

  static let headWidth = 64

  /// The letter by which this size is known, e.g. `l`; nil for other sizes.
  var letter: String? { [384: "s", 768: "b", 1024: "l"][width] }

  /// Finds the extents of the network in a file. Throws where the file does not hold one of S, B and L's kind.
  init(_ names: DINOv2Names) throws {
    let projection = try names.shape("patch_embed.proj.weight")
    guard projection.count == 4, projection[1] == 3, projection[2] == projection[3], projection[2] > 0,
      projection[0] > 0, projection[0] % Self.headWidth == 0
    else {
      throw names.unexpected(
        "patch_embed.proj.weight", found: "\(projection)", expected: "[width, 3, 14, 14] of a width that 64 divides")
    }
    (width, patch) = (projection[0], projection[2])
    depth = try names.depth
    hidden = try names.shape("blocks.0.mlp.fc1.bias").first ?? 0
    registers = try names.has(DINOv2Names.registers) ? names.shape(DINOv2Names.registers).dropFirst().first ?? 0 : 0
    (tableSide, hasClassPosition) = try Self.table(names)
  }

  /// The side of the table, which is that of a square, or of a square and the class token.
  private static func table(_ names: DINOv2Names) throws -> (side: Int, hasClassPosition: Bool) {
    let shape = try names.shape("pos_embed")
    let count = shape.count == 3 ? shape[1] : 0
    for hasClassPosition in [true, false] {
      let places = hasClassPosition ? count - 1 : count
      let side = Int(Double(max(places, 0)).squareRoot().rounded())
      if side > 0, side * side == places { return (side, hasClassPosition) }
    }
    throw names.unexpected("pos_embed", found: "\(shape)", expected: "[1, n² + 1, width]")
  }
}

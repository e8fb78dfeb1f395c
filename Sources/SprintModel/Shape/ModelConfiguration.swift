// The letters of shapes, the same in every comment of this package:
//
//   B  samples of a batch          N  tokens of a sample, (S / p)²       H  attention heads
//   C  channels of a latent        M  tokens that the drop keeps         F  width of the teacher's features
//   S  side of a latent            D  width of a token                   R  ranks
//   p  side of a patch                                                   T  threads of a rank

/// The shape of a SPRINT network. arXiv 2510.21986; the sizes are those of SiT, arXiv 2401.08740.
package struct ModelConfiguration: Sendable, Equatable {
  /// D, the width of a token.
  package var width: Int
  /// H, the number of attention heads.
  package var heads: Int
  /// Blocks before the token drop, on all tokens.
  package var encoderDepth: Int
  /// Blocks on the kept tokens.
  package var middleDepth: Int
  /// Blocks after the fusion, on all tokens.
  package var decoderDepth: Int
  /// S, the side of a latent.
  package var side: Int
  /// C, the channels of a latent.
  package var channels: Int
  /// p, the side of a patch.
  package var patch: Int
  /// Number of classes; the id `classes` itself means "no class".
  package var classes: Int
  /// Width of the feed-forward layer, divided by D.
  package var mlpRatio: Double = 4
  /// Base of the rotary frequencies.
  package var ropeTheta: Double = 10000
  /// The way in which both paths meet.
  package var fusion: Fusion = .concatLinear
  /// Whether the mask token is trained; published models keep its initial value.
  package var learnsMaskToken = false
  /// The projector of representation alignment, or nil without alignment.
  package var projector: ProjectorConfiguration?

  /// Makes a configuration; the other properties keep their published values.
  package init(
    width: Int, heads: Int, depth: (encoder: Int, middle: Int, decoder: Int), side: Int, channels: Int, patch: Int,
    classes: Int
  ) {
    self.width = width
    self.heads = heads
    (encoderDepth, middleDepth, decoderDepth) = depth
    self.side = side
    self.channels = channels
    self.patch = patch
    self.classes = classes
  }

  /// Width, heads and depths of the published sizes.
  package static let sizes: [String: (width: Int, heads: Int, depth: (encoder: Int, middle: Int, decoder: Int))] = [
    "S": (384, 6, (2, 8, 2)), "B": (768, 12, (2, 8, 2)), "L": (1024, 16, (2, 20, 2)), "XL": (1152, 16, (2, 24, 2)),
  ]

  /// Tokens along one side of the grid.
  package var grid: Int { side / patch }
  /// N, the number of tokens.
  package var tokens: Int { grid * grid }
  /// Elements of one patch.
  package var patchElements: Int { channels * patch * patch }
  /// Elements of one latent.
  package var latentElements: Int { channels * side * side }
  /// Width of a head.
  package var headWidth: Int { width / heads }
  /// Width of the feed-forward layer.
  package var hidden: Int { Int(Double(width) * mlpRatio) }
  /// Number of blocks in all three sections.
  package var blocks: Int { encoderDepth + middleDepth + decoderDepth }

  /// Width of the sinusoidal time features. DiT, arXiv 2212.09748.
  static let timeFeatureWidth = 256

  /// The first problem of the shape as (key, message), or nil.
  package var problem: (key: String, message: String)? {
    let positives = [
      ("width", width), ("heads", heads), ("side", side), ("channels", channels), ("patch", patch),
      ("classes", classes),
    ]
    if let (key, value) = positives.first(where: { $0.1 < 1 }) { return (key, "is \(value); it has to be at least 1") }
    if min(encoderDepth, middleDepth, decoderDepth) < 0 { return ("depth", "has a negative number of blocks") }
    if side % patch != 0 { return ("patch", "is \(patch), which does not divide the latent side \(side)") }
    if width % heads != 0 { return ("heads", "is \(heads), which does not divide the width \(width)") }
    if headWidth % 4 != 0 {
      return ("heads", "makes heads of width \(headWidth); 2-D rotary embedding needs a multiple of 4")
    }
    if hidden < 1 { return ("mlp_ratio", "is \(mlpRatio); it has to leave at least one hidden unit") }
    if !(ropeTheta > 0) { return ("rope_theta", "is \(ropeTheta); it has to be positive") }
    return projector?.problem(blocks: blocks)
  }
}

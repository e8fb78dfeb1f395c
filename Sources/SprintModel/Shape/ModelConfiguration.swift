// The letters of shapes, the same in every comment of this package:
//
//   B  samples of a batch          N  tokens of a sample                 H  attention heads
//   C  channels of a latent        M  tokens that the drop keeps         F  width of the teacher's features
//   S  side of a latent            D  width of a token                   R  ranks
//   p  side of a patch                                                   T  threads of a rank
//
// N is (S / p)², the patches of a latent, and one more if the network has a class token, which is then token 0.

import SprintKernels

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
  /// Number of classes; the id `classes` itself means "no class". A network without classes has this id alone.
  package var classes: Int
  /// Width of the feed-forward layer, divided by D.
  package var mlpRatio: Double = 4
  /// Base of the rotary frequencies.
  package var ropeTheta: Double = 10000
  /// The way in which both paths meet.
  package var fusion: Fusion = .concatLinear
  /// Whether the mask token is trained; published models keep its initial value.
  package var learnsMaskToken = false
  /// Whether the mask token starts at zero instead of a random value.
  package var startsMaskTokenAtZero = false
  /// The norm of tokens before their modulation.
  package var norm = Norm.layer
  /// The number under the root of the norms of queries and keys.
  package var headNormEpsilon: Double = 1e-6
  /// Whether every block behind the first mixes that one's values into its own. arXiv 2410.17897.
  package var mixesValues = false
  /// How tokens know their places.
  package var position = Position.rotary
  /// The order of a token's outputs.
  package var outputOrder = OutputOrder.channelFirst
  /// Width F of a noisy class token, which the network reads and whose velocity it finds besides that of the latent, or
  /// nil without one. REG, arXiv 2507.01467.
  package var classToken: Int?
  /// The projector of representation alignment, or nil without alignment.
  package var projector: ProjectorConfiguration?
  /// The blocks whose attention is aligned with a teacher's, or nil without such alignment.
  package var attentionAlignment: AttentionAlignment?

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
  /// The number of patches of a latent.
  package var patches: Int { grid * grid }
  /// The tokens before those of the patches: the class token, if there is one.
  package var prefix: Int { classToken == nil ? 0 : 1 }
  /// N, the number of tokens.
  package var tokens: Int { prefix + patches }
  /// Elements of one patch.
  package var patchElements: Int { channels * patch * patch }
  /// Elements of one latent.
  package var latentElements: Int { channels * side * side }
  /// Elements of what a sampler draws for one image: the latent and, if there is one, the class token.
  package var stateElements: Int { latentElements + (classToken ?? 0) }
  /// Width of a head.
  package var headWidth: Int { width / heads }
  /// Width of the feed-forward layer.
  package var hidden: Int { Int(Double(width) * mlpRatio) }
  /// The ids that images can have: the classes, or of a network without classes that of "no class".
  package var labels: Range<Int> { 0..<max(classes, 1) }

  /// The id of an image with a label of the data; a network without classes sees no labels.
  package func id(ofLabel label: Int) -> Int { classes == 0 ? 0 : label }

  /// Number of blocks in all three sections.
  package var blocks: Int { encoderDepth + middleDepth + decoderDepth }

  /// Width of the sinusoidal time features. DiT, arXiv 2212.09748.
  static let timeFeatureWidth = 256

  /// The sizes that a network may have. No number of weights within these limits overflows an `Int`: it is below 2^54.
  package enum Limits {
    /// D and H.
    package static let width = 1...65_536
    /// Blocks of a section.
    package static let depth = 0...1000
    /// S, C and p.
    package static let side = 1...4096
    /// Classes.
    package static let classes = 0...1_000_000
    /// Width of the projector's hidden layers, and F.
    package static let projector = 1...1_000_000
    /// Width of the feed-forward layer, divided by D.
    package static let mlpRatio = 0.0.nextUp...64
    /// Base of the rotary frequencies.
    package static let ropeTheta = 0.001...1e12
  }

  /// The first problem of the shape as (key, message), or nil.
  package var problem: (key: String, message: String)? {
    let sizes = [
      ("width", width, Limits.width), ("heads", heads, Limits.width), ("depth", encoderDepth, Limits.depth),
      ("depth", middleDepth, Limits.depth), ("depth", decoderDepth, Limits.depth), ("side", side, Limits.side),
      ("channels", channels, Limits.side), ("patch", patch, Limits.side), ("classes", classes, Limits.classes),
    ]
    for (key, value, range) in sizes where !range.contains(value) {
      return (key, "has the value \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
    if side % patch != 0 { return ("patch", "is \(patch), which does not divide the latent side \(side)") }
    if width % heads != 0 { return ("heads", "is \(heads), which does not divide the width \(width)") }
    if headWidth % 4 != 0 {
      return ("heads", "makes heads of width \(headWidth); 2-D rotary embedding needs a multiple of 4")
    }
    guard Limits.mlpRatio.contains(mlpRatio) else {
      return ("mlp_ratio", "is \(mlpRatio), expected a number above 0, at most \(Limits.mlpRatio.upperBound)")
    }
    if hidden < 1 { return ("mlp_ratio", "is \(mlpRatio); it has to leave at least one hidden unit") }
    guard Limits.ropeTheta.contains(ropeTheta) else {
      let (lowest, highest) = (Limits.ropeTheta.lowerBound, Limits.ropeTheta.upperBound)
      return ("rope_theta", "is \(ropeTheta), expected a number from \(lowest) to \(highest)")
    }
    return partProblem ?? projector?.problem(blocks: blocks) ?? attentionAlignment?.problem(of: self)
  }
  /// The first problem of the parts that only some networks have.
  private var partProblem: (key: String, message: String)? {
    if let classToken, !Limits.projector.contains(classToken) {
      return (
        "class_token", "is \(classToken), expected \(Limits.projector.lowerBound) to \(Limits.projector.upperBound)"
      )
    }
    if position == .rotaryAndSines, width % 4 != 0 {
      return ("width", "is \(width); sine-cosine positions need a multiple of 4")
    }
    if mixesValues, encoderDepth == 0 {
      return ("value_residual", "needs a block before the drop, whose values all tokens have; the depth begins with 0")
    }
    guard headNormEpsilon >= 0, headNormEpsilon < 1 else {
      return ("qk_norm_epsilon", "is \(headNormEpsilon), expected a number from 0 to below 1")
    }
    return nil
  }
}

/// How tokens know their places.
package enum Position: String, Sendable, CaseIterable {
  /// Queries and keys turn. RoFormer, arXiv 2104.09864, on two axes.
  case rotary
  /// Besides, fixed sines and cosines are added to the tokens. DiT, arXiv 2212.09748.
  case rotaryAndSines = "rotary_and_sines"
}

/// The order of a token's outputs, the velocities of its patch.
package enum OutputOrder: String, Sendable, CaseIterable {
  /// Channel, row, column: that of SPRINT.
  case channelFirst = "channel_first"
  /// Row, column, channel: that of DiT, arXiv 2212.09748.
  case channelLast = "channel_last"
}

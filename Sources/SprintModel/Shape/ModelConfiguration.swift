/// How the deep and the shallow path are joined in front of the decoder.
package enum Fusion: String, Sendable, CaseIterable {
  /// One linear layer over the concatenation of both.
  case concatLinear = "concat_linear"
  /// The deep path alone; the published ablation baseline.
  case none
}

/// The projector of representation alignment. REPA, arXiv 2410.06940.
package struct ProjectorConfiguration: Sendable, Equatable {
  /// Width of the projector's two hidden layers.
  package var hidden: Int
  /// Width F of the teacher's features.
  package var featureWidth: Int
  /// The projector reads after this many blocks, counted through encoder, middle and decoder.
  package var afterBlock: Int

  /// A projector reading after block `afterBlock`, counted from one.
  package init(hidden: Int, featureWidth: Int, afterBlock: Int) {
    self.hidden = hidden
    self.featureWidth = featureWidth
    self.afterBlock = afterBlock
  }
}

/// The shape of a SPRINT network. arXiv 2510.21986; the sizes are those of SiT, arXiv 2401.08740.
package struct ModelConfiguration: Sendable, Equatable {
  /// D, the width of a token.
  package var width: Int
  /// H, the number of attention heads.
  package var heads: Int
  /// Blocks in front of the token drop, on all tokens.
  package var encoderDepth: Int
  /// Blocks on the kept tokens.
  package var middleDepth: Int
  /// Blocks behind the fusion, on all tokens.
  package var decoderDepth: Int
  /// S, the side of a latent.
  package var side: Int
  /// C, the channels of a latent.
  package var channels: Int
  /// p, the side of a patch.
  package var patch: Int
  /// Number of classes; the id `classes` itself means "no class".
  package var classes: Int
  /// Width of the feed-forward layer over D.
  package var mlpRatio: Double = 4
  /// Base of the rotary frequencies.
  package var ropeTheta: Double = 10000
  /// How both paths are joined.
  package var fusion: Fusion = .concatLinear
  /// Whether the mask token is trained; published models keep it as initialised.
  package var learnsMaskToken = false
  /// The projector of representation alignment, if there is one.
  package var projector: ProjectorConfiguration?

  /// A network of the given shape; see the properties.
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

  /// What is wrong with the shape, as (key, message), or nil.
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
    if let projector {
      if projector.hidden < 1 { return ("projector", "is \(projector.hidden); it has to be at least 1") }
      if projector.featureWidth < 1 {
        return ("feature_width", "is \(projector.featureWidth); it has to be at least 1")
      }
      if !(1...max(1, blocks)).contains(projector.afterBlock) || blocks == 0 {
        return ("after_block", "is \(projector.afterBlock); the model has \(blocks) blocks, counted from 1")
      }
    }
    return nil
  }
}

/// One of the three stretches of blocks.
package enum Section: String, Sendable, CaseIterable {
  /// On all tokens, in front of the drop.
  case encoder
  /// On the kept tokens.
  case middle
  /// On all tokens, behind the fusion.
  case decoder
}

extension ModelConfiguration {
  /// The blocks of a section, counted through all three.
  package func blocks(of section: Section) -> Range<Int> {
    switch section {
    case .encoder: 0..<encoderDepth
    case .middle: encoderDepth..<encoderDepth + middleDepth
    case .decoder: encoderDepth + middleDepth..<blocks
    }
  }

  /// The section that block `block` belongs to.
  package func section(of block: Int) -> Section {
    block < encoderDepth ? .encoder : block < encoderDepth + middleDepth ? .middle : .decoder
  }

  /// The published name of block `block`, e.g. `middle_blocks.3`.
  package func name(ofBlock block: Int) -> String {
    let section = section(of: block)
    return "\(section.rawValue)_blocks.\(block - blocks(of: section).lowerBound)"
  }
}

import SprintFormats

/// The names of the tensors of an autoencoder, in one of the forms in which they are published.
enum AutoencoderNames: Sendable {
  /// diffusers, whose attention is called otherwise before its version 0.15.
  case diffusers(isOld: Bool)
  /// CompVis's latent-diffusion and what comes from it: `ldm/modules/diffusionmodules/model.py`.
  case compVis

  /// A half of an autoencoder.
  enum Half: String, Sendable, CaseIterable { case encoder, decoder }

  /// Finds out which names a file uses. Throws if none of them.
  init(_ weights: NetworkWeights, _ half: Half) throws {
    let (diffusers, compVis) = (Self.diffusers(isOld: false), Self.compVis)
    if weights.has(compVis.middle(half).first + ".conv1.weight") {
      self = .compVis
    } else if weights.has(diffusers.middle(half).first + ".conv1.weight") {
      self = .diffusers(isOld: weights.has(diffusers.middle(half).attention + ".query.weight"))
    } else {
      throw FileError.unusable(
        path: weights.path,
        problem: "there is no tensor `\(weights.prefix)\(diffusers.middle(half).first).conv1.weight` as of diffusers, "
          + "nor `\(weights.prefix)\(compVis.middle(half).first).conv1.weight` as of CompVis; expected an AutoencoderKL"
      )
    }
  }

  /// The residual blocks in the middle, and the attention between them.
  func middle(_ half: Half) -> (first: String, attention: String, second: String) {
    switch self {
    case .diffusers:
      let name = "\(half).mid_block"
      return ("\(name).resnets.0", "\(name).attentions.0", "\(name).resnets.1")
    case .compVis: return ("\(half).mid.block_1", "\(half).mid.attn_1", "\(half).mid.block_2")
    }
  }

  /// Level `number`.
  func level(_ half: Half, _ number: Int) -> String {
    let way = half == .encoder ? "down" : "up"
    switch self {
    case .diffusers: return "\(half).\(way)_blocks.\(number)"
    case .compVis: return "\(half).\(way).\(number)"
    }
  }

  /// Whether maps pass the last level first: CompVis counts the levels of the decoder in reverse.
  func countsInReverse(_ half: Half) -> Bool {
    switch self {
    case .diffusers: false
    case .compVis: half == .decoder
    }
  }

  /// The name of a residual block of a level.
  func block(_ index: Int) -> String {
    switch self {
    case .diffusers: "resnets.\(index)"
    case .compVis: "block.\(index)"
    }
  }

  /// The name of the attention behind a residual block of a level.
  func attention(_ index: Int) -> String {
    switch self {
    case .diffusers: "attentions.\(index)"
    case .compVis: "attn.\(index)"
    }
  }

  /// The name of the 1 x 1 convolution of a residual block.
  var shortcut: String {
    switch self {
    case .diffusers: "conv_shortcut"
    case .compVis: "nin_shortcut"
    }
  }

  /// The name of the convolution of a level that halves or doubles the extents.
  func resampling(_ half: Half) -> String {
    switch (self, half) {
    case (.diffusers, .encoder): "downsamplers.0.conv"
    case (.diffusers, .decoder): "upsamplers.0.conv"
    case (.compVis, .encoder): "downsample.conv"
    case (.compVis, .decoder): "upsample.conv"
    }
  }

  /// The name of the last norm.
  func lastNorm(_ half: Half) -> String {
    switch self {
    case .diffusers: "\(half).conv_norm_out"
    case .compVis: "\(half).norm_out"
    }
  }

  /// The names of the parts of an attention.
  var attentionParts: SpatialAttention.Names {
    switch self {
    case .diffusers(isOld: false):
      .init(norm: "group_norm", query: "to_q", key: "to_k", value: "to_v", out: "to_out.0")
    case .diffusers(isOld: true):
      .init(norm: "group_norm", query: "query", key: "key", value: "value", out: "proj_attn")
    case .compVis: .init(norm: "norm", query: "q", key: "k", value: "v", out: "proj_out")
    }
  }
}

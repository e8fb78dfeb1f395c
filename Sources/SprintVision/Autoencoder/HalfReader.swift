import SprintFormats
import SprintKernels

/// Reads the layers of a half of an autoencoder in the order in which maps pass them. How many levels and blocks there
/// are, and how wide, is what the file says.
struct HalfReader {
  private(set) var layers: [any ImageLayer] = []
  /// The channels behind the last layer.
  private(set) var channels: Int
  /// The levels that halve or double the extents.
  private(set) var steps = 0
  private let weights: NetworkWeights
  private let half: AutoencoderNames.Half
  private let names: AutoencoderNames

  /// Reads the first convolutions.
  init(_ weights: NetworkWeights, _ half: AutoencoderNames.Half, inputs: Int) throws {
    (self.weights, self.half, channels) = (weights, half, inputs)
    names = try AutoencoderNames(weights, half)
    if half == .decoder, weights.has("post_quant_conv.weight") { try append("post_quant_conv", kernel: 1) }
    try append("\(half).conv_in", kernel: 3, isNormed: true)
  }

  /// Reads a convolution.
  mutating func append(
    _ name: String, kernel: Int, isNormed: Bool = false, norm: GroupNorm? = nil, isDoubled: Bool = false
  ) throws {
    let convolution = try Convolution(weights, name, inputs: channels, kernel: kernel, isNormed: isNormed)
    layers.append(ConvolutionLayer(convolution: convolution, norm: norm, isDoubled: isDoubled))
    channels = convolution.geometry.outputs
  }

  /// Reads the residual blocks in the middle, and the attention between them if there is one.
  mutating func readMiddle() throws {
    let middle = names.middle(half)
    try appendBlock(middle.first)
    try appendAttention(middle.attention)
    try appendBlock(middle.second)
  }

  /// Reads all levels.
  mutating func readLevels() throws {
    let numbers = Array(0..<levelCount)
    for number in names.countsInReverse(half) ? numbers.reversed() : numbers {
      try readLevel(names.level(half, number))
    }
  }

  private var levelCount: Int {
    var count = 0
    while weights.has("\(names.level(half, count)).\(names.block(0)).conv1.weight") { count += 1 }
    return count
  }

  private mutating func readLevel(_ level: String) throws {
    var block = 0
    while weights.has("\(level).\(names.block(block)).conv1.weight") {
      try appendBlock("\(level).\(names.block(block))")
      try appendAttention("\(level).\(names.attention(block))")
      block += 1
    }
    try readResampling("\(level).\(names.resampling(half))")
  }

  private mutating func readResampling(_ name: String) throws {
    guard weights.has("\(name).weight") else { return }
    steps += 1
    guard half == .encoder else { return try append(name, kernel: 3, isNormed: true, isDoubled: true) }
    let convolution = try Convolution(halving: weights, name, inputs: channels)
    layers.append(ConvolutionLayer(convolution: convolution))
    channels = convolution.geometry.outputs
  }

  /// Reads the last norm and convolution.
  mutating func readEnd() throws {
    let norm = try GroupNorm(weights, names.lastNorm(half), channels: channels)
    try append("\(half).conv_out", kernel: 3, norm: norm)
  }

  private mutating func appendBlock(_ name: String) throws {
    let block = try ResidualBlock(weights, name, shortcut: names.shortcut, inputs: channels)
    layers.append(block)
    channels = block.outputs
  }

  private mutating func appendAttention(_ name: String) throws {
    guard weights.has("\(name).\(names.attentionParts.norm).weight") else { return }
    layers.append(try SpatialAttention(weights, name, names.attentionParts, channels: channels))
  }
}

import SprintFormats
import SprintKernels

/// The encoder or the decoder of an autoencoder: its layers, as the tensors of a file describe them.
struct AutoencoderHalf: Sendable {
  /// Channels of what goes in and comes out.
  let inputs, outputs: Int
  /// How often it halves or doubles the extents.
  let steps: Int
  private let layers: [any ImageLayer]

  /// Reads the encoder and the convolution behind it, if there is one.
  init(encoder weights: NetworkWeights) throws {
    var reader = try HalfReader(weights, .encoder, inputs: 3)
    try reader.readLevels()
    try reader.readMiddle()
    try reader.readEnd()
    if weights.has("quant_conv.weight") { try reader.append("quant_conv", kernel: 1) }
    try weights.requireAllRead(below: ["encoder", "quant_conv"])
    self.init(reader, inputs: 3)
  }

  /// Reads the decoder and the convolution before it, if there is one.
  init(decoder weights: NetworkWeights) throws {
    let first = weights.has("post_quant_conv.weight") ? "post_quant_conv" : "decoder.conv_in"
    let shape = try weights.shape("\(first).weight")
    guard shape.count == 4, shape[1] > 0 else {
      throw weights.unexpected("\(first).weight", found: "\(shape)", expected: "four extents of a convolution")
    }
    var reader = try HalfReader(weights, .decoder, inputs: shape[1])
    try reader.readMiddle()
    try reader.readLevels()
    try reader.readEnd()
    try weights.requireAllRead(below: ["decoder", "post_quant_conv"])
    guard reader.channels == 3 else {
      throw weights.unexpected(
        "decoder.conv_out.weight", found: "of \(reader.channels) outputs", expected: "3, one a colour")
    }
    self.init(reader, inputs: shape[1])
  }

  private init(_ reader: HalfReader, inputs: Int) {
    (self.inputs, outputs, steps, layers) = (inputs, reader.channels, reader.steps, reader.layers)
  }

  /// The memory that an image takes.
  ///
  /// - Parameter side: of what goes in
  func plan(side: Int) -> PassPlan {
    layers.reduce(into: PassPlan(height: side, width: side, channels: inputs)) { plan, layer in layer.plan(&plan) }
  }

  /// Computes the layers of some images.
  ///
  /// - Parameters:
  ///   - images: [B, inputs, side, side]
  ///   - body: gets the images of the last layer
  func run(
    _ images: UnsafeBufferPointer<Float>, side: Int, _ plan: PassPlan, _ workers: Workers,
    _ body: (FeatureMaps) -> Void
  ) {
    let count = images.count / (inputs * side * side)
    let pass = ImagePass(
      plan, images: count, height: side, width: side, channels: inputs, threads: workers.count)
    pass.maps.interleave(images)
    for layer in layers { layer.run(pass, workers) }
    body(pass.maps)
  }
}

extension FeatureMaps {
  /// Sets all channels from planes: [B, C, height, width].
  fileprivate func interleave(_ planes: UnsafeBufferPointer<Float>) {
    let area = height * width
    for image in 0..<count {
      for channel in 0..<channels {
        let start = (image * channels + channel) * area
        for pixel in 0..<area { pixels[image * area + pixel, channel] = planes[start + pixel] }
      }
    }
  }
}

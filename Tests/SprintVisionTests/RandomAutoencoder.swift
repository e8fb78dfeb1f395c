import SprintFormats
import SprintTestSupport
import Testing

/// A change that makes an autoencoder's file unusable.
struct Defect: Sendable, CustomTestStringConvertible {
  enum Change: Sendable { case missing, shape([Int]), value(Float), added([Int]) }

  /// The tensor, what the message says, and the tensor that it names.
  let name, says, naming: String
  let change: Change

  init(_ name: String, _ change: Change, _ says: String, naming: String? = nil) {
    (self.name, self.change, self.says, self.naming) = (name, change, says, naming ?? name)
  }

  var testDescription: String { "\(name) \(change)" }
}

/// The tensors of a small autoencoder by CompVis's names: widths 32 and 64, one residual block a level down and two up,
/// 4 latent channels, quant convolutions.
struct RandomAutoencoder {
  private(set) var tensors: [String: (shape: [Int], values: [Float])] = [:]
  private var random = Randomness()

  init() {
    convolution("encoder.conv_in", 3, 32)
    block("encoder.down.0.block.0", 32, 32)
    block("encoder.down.0.block.1", 32, 32)
    convolution("encoder.down.0.downsample.conv", 32, 32)
    block("encoder.down.1.block.0", 32, 64)
    middle("encoder", 64)
    norm("encoder.norm_out", 64)
    convolution("encoder.conv_out", 64, 8)
    convolution("quant_conv", 8, 8, kernel: 1)
    convolution("post_quant_conv", 4, 4, kernel: 1)
    convolution("decoder.conv_in", 4, 64)
    middle("decoder", 64)
    block("decoder.up.1.block.0", 64, 64)
    convolution("decoder.up.1.upsample.conv", 64, 64)
    block("decoder.up.0.block.0", 64, 32)
    for index in 1...2 { block("decoder.up.0.block.\(index)", 32, 32) }
    norm("decoder.norm_out", 32)
    convolution("decoder.conv_out", 32, 3)
  }

  mutating func apply(_ defect: Defect) {
    switch defect.change {
    case .missing: tensors[defect.name] = nil
    case .shape(let shape), .added(let shape):
      tensors[defect.name] = (shape, Array(repeating: 0.01, count: shape.reduce(1, *)))
    case .value(let value): tensors[defect.name]?.values[1] = value
    }
  }

  /// Writes the file and returns its path.
  func write(to path: String) throws -> String {
    // The elements have to lie still while they are written.
    let all = tensors.sorted { $0.key < $1.key }
    let values = all.flatMap(\.value.values)
    try values.withUnsafeBufferPointer { buffer in
      var start = 0
      let list = all.map { name, tensor in
        defer { start += tensor.values.count }
        return SafetensorsFile.Tensor(
          name: name, shape: tensor.shape,
          values: UnsafeBufferPointer(rebasing: buffer[start..<start + tensor.values.count]))
      }
      try SafetensorsFile.write(list, metadata: [:], to: path)
    }
    return path
  }

  private mutating func convolution(_ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 3) {
    let count = inputs * kernel * kernel
    let deviation = 1 / Float(count).squareRoot()
    tensors["\(name).weight"] = (
      [outputs, inputs, kernel, kernel], random.normal(outputs * count, deviation: deviation)
    )
    tensors["\(name).bias"] = ([outputs], random.normal(outputs, deviation: deviation))
  }

  private mutating func norm(_ name: String, _ channels: Int) {
    tensors["\(name).weight"] = ([channels], random.normal(channels, deviation: 0.2).map { 1 + $0 })
    tensors["\(name).bias"] = ([channels], random.normal(channels, deviation: 0.2))
  }

  private mutating func block(_ name: String, _ inputs: Int, _ outputs: Int) {
    norm("\(name).norm1", inputs)
    convolution("\(name).conv1", inputs, outputs)
    norm("\(name).norm2", outputs)
    convolution("\(name).conv2", outputs, outputs)
    if inputs != outputs { convolution("\(name).nin_shortcut", inputs, outputs, kernel: 1) }
  }

  private mutating func middle(_ half: String, _ channels: Int) {
    block("\(half).mid.block_1", channels, channels)
    norm("\(half).mid.attn_1.norm", channels)
    for part in ["q", "k", "v", "proj_out"] {
      convolution("\(half).mid.attn_1.\(part)", channels, channels, kernel: 1)
    }
    block("\(half).mid.block_2", channels, channels)
  }
}

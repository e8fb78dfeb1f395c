import SprintKernels

extension Convolution {
  /// Reads a convolution with as many outputs as the tensor `name.weight` says.
  ///
  /// - Parameters:
  ///   - inputs: the channels of its source
  ///   - expected: the channels of its target, where they are known
  ///   - isNormed: whether a group norm follows, which needs whole groups
  convenience init(
    _ weights: NetworkWeights, _ name: String, inputs: Int, outputs expected: Int? = nil, kernel: Int,
    isNormed: Bool = false
  ) throws {
    let outputs = try Self.outputs(weights, name, inputs: inputs, kernel: kernel, isNormed: isNormed)
    guard outputs == expected ?? outputs else {
      throw weights.unexpected(
        "\(name).weight", found: "of \(outputs) outputs", expected: "\(expected ?? outputs), as many as are added to")
    }
    let padding = kernel / 2
    try self.init(
      weights, name,
      ConvolutionGeometry(
        inputs: inputs, outputs: outputs, kernel: (kernel, kernel), padding: (padding, padding)))
  }

  /// Reads a convolution that halves the extents. Its source gets a line of zeros below and a column on the right.
  convenience init(halving weights: NetworkWeights, _ name: String, inputs: Int) throws {
    let outputs = try Self.outputs(weights, name, inputs: inputs, kernel: 3, isNormed: true)
    try self.init(
      weights, name,
      ConvolutionGeometry(
        inputs: inputs, outputs: outputs, kernelHeight: 3, kernelWidth: 3, stride: 2, top: 0, left: 0, bottom: 1,
        right: 1))
  }

  private convenience init(_ weights: NetworkWeights, _ name: String, _ geometry: ConvolutionGeometry) throws {
    let shape = [geometry.outputs, geometry.inputs, geometry.kernelHeight, geometry.kernelWidth]
    self.init(
      geometry, weights: try weights.floats("\(name).weight", shapes: shape),
      bias: try weights.floats("\(name).bias", shapes: [geometry.outputs]))
  }

  /// Returns the first extent of `name.weight` after a look at all of them.
  private static func outputs(
    _ weights: NetworkWeights, _ name: String, inputs: Int, kernel: Int, isNormed: Bool
  ) throws -> Int {
    let shape = try weights.shape("\(name).weight")
    guard let outputs = shape.first, outputs > 0, Array(shape.dropFirst()) == [inputs, kernel, kernel] else {
      throw weights.unexpected(
        "\(name).weight", found: "\(shape)", expected: "a number of outputs, then [\(inputs), \(kernel), \(kernel)]")
    }
    guard !isNormed || outputs % GroupNorm.groups == 0 else {
      throw weights.unexpected(
        "\(name).weight", found: "\(shape)", expected: "a multiple of \(GroupNorm.groups) outputs for a group norm")
    }
    return outputs
  }
}

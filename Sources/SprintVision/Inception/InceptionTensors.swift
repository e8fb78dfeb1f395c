import SprintFormats
import SprintKernels

/// The tensors of Inception's weights, as `pt_inception-2015-12-05` of pytorch-fid names them.
struct InceptionTensors {
  private let weights: NetworkWeights

  /// Throws where a file does not hold this network.
  init(_ collection: SafetensorsCollection) throws {
    weights = NetworkWeights(collection)
    guard weights.has("\(InceptionBlockPlan.firstUnit).conv.weight") else {
      throw FileError.unusable(
        path: weights.path,
        problem: "there is no tensor `\(InceptionBlockPlan.firstUnit).conv.weight`, expected the weights of Inception "
          + "under torchvision's names")
    }
  }

  /// Reads a unit, and folds its batch norm into the convolution: y = max(0, (x * w - mean) · scale + bias), where
  /// scale = weight / sqrt(variance + 1e-3).
  func unit(_ plan: InceptionUnitPlan, _ prefix: String, inputs: Int) throws -> Convolution {
    let name = prefix + plan.name
    let shape = try weights.shape("\(name).conv.weight")
    guard shape.count == 4, shape[0] > 0, shape.dropFirst() == [inputs, plan.height, plan.width] else {
      throw unexpected("\(name).conv.weight", shape, "[outputs, \(inputs), \(plan.height), \(plan.width)]")
    }
    let padding = plan.isPadded ? (height: plan.height / 2, width: plan.width / 2) : (0, 0)
    let geometry = ConvolutionGeometry(
      inputs: inputs, outputs: shape[0], kernel: (plan.height, plan.width), stride: plan.stride, padding: padding)
    var kernel = try weights.floats("\(name).conv.weight", shapes: shape)
    let norm = try ["weight", "bias", "running_mean", "running_var"].map {
      try weights.floats("\(name).bn.\($0)", shapes: [shape[0]])
    }
    let scales = zip(norm[0], norm[3]).map { Double($0) / (Double($1) + 1e-3).squareRoot() }
    let size = kernel.count / shape[0]
    for i in kernel.indices { kernel[i] = Float(Double(kernel[i]) * scales[i / size]) }
    let bias = scales.indices.map { Float(Double(norm[1][$0]) - Double(norm[2][$0]) * scales[$0]) }
    return Convolution(geometry, weights: kernel, bias: bias, rectifies: true)
  }

  /// Reads the weights [1008, inputs] of the last layer.
  func classes(inputs: Int) throws -> [Float] {
    let shape = try weights.shape("fc.weight")
    guard shape != [1000, inputs] else {
      throw unexpected(
        "fc.weight", shape, "[1008, \(inputs)]; FID is defined by the network of 2015-12-05, not by torchvision's own")
    }
    return try weights.floats("fc.weight", shapes: [1008, inputs])
  }

  /// Says that a tensor has another shape.
  func unexpected(_ name: String, _ found: [Int], _ expected: String) -> FileError {
    weights.unexpected(name, found: "\(found)", expected: expected)
  }
}

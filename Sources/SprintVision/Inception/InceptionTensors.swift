import SprintFormats
import SprintKernels

/// The tensors of Inception's weights, as `pt_inception-2015-12-05` of pytorch-fid names them.
struct InceptionTensors {
  private let collection: SafetensorsCollection

  /// Throws where a file does not hold this network.
  init(_ collection: SafetensorsCollection) throws {
    self.collection = collection
    guard collection.files["\(InceptionBlockPlan.firstUnit).conv.weight"] != nil else {
      throw FileError.unusable(
        path: collection.path,
        problem: "there is no tensor `\(InceptionBlockPlan.firstUnit).conv.weight`, expected the weights of Inception "
          + "under torchvision's names")
    }
  }

  /// Reads a unit, and folds its batch norm into the convolution: y = max(0, (x * w - mean) · scale + bias), where
  /// scale = weight / sqrt(variance + 1e-3).
  func unit(_ plan: InceptionUnitPlan, _ prefix: String, inputs: Int) throws -> Convolution {
    let name = prefix + plan.name
    let shape = try collection.tensor("\(name).conv.weight").entry.shape
    guard shape.count == 4, shape[0] > 0, shape.dropFirst() == [inputs, plan.height, plan.width] else {
      throw unexpected("\(name).conv.weight", shape, "[outputs, \(inputs), \(plan.height), \(plan.width)]")
    }
    let padding = plan.isPadded ? (height: plan.height / 2, width: plan.width / 2) : (0, 0)
    let geometry = ConvolutionGeometry(
      inputs: inputs, outputs: shape[0], kernel: (plan.height, plan.width), stride: plan.stride, padding: padding)
    var weights = try floats("\(name).conv.weight", shape)
    let norm = try ["weight", "bias", "running_mean", "running_var"].map { try floats("\(name).bn.\($0)", [shape[0]]) }
    let scales = zip(norm[0], norm[3]).map { Double($0) / (Double($1) + 1e-3).squareRoot() }
    let size = weights.count / shape[0]
    for i in weights.indices { weights[i] = Float(Double(weights[i]) * scales[i / size]) }
    let bias = scales.indices.map { Float(Double(norm[1][$0]) - Double(norm[2][$0]) * scales[$0]) }
    return Convolution(geometry, weights: weights, bias: bias, rectifies: true)
  }

  /// Reads the weights [1008, inputs] of the last layer.
  func classes(inputs: Int) throws -> [Float] {
    let shape = try collection.tensor("fc.weight").entry.shape
    guard shape != [1000, inputs] else {
      throw unexpected(
        "fc.weight", shape, "[1008, \(inputs)]; FID is defined by the network of 2015-12-05, not by torchvision's own")
    }
    return try floats("fc.weight", [1008, inputs])
  }

  private func floats(_ name: String, _ shape: [Int]) throws -> [Float] {
    let (entry, file) = try collection.tensor(name)
    guard entry.shape == shape else { throw unexpected(name, entry.shape, "\(shape)") }
    var values = [Float](repeating: 0, count: shape.reduce(1, *))
    try values.withUnsafeMutableBufferPointer { try file.floats(name, into: $0) }
    return values
  }

  /// Says that a tensor has another shape.
  func unexpected(_ name: String, _ found: [Int], _ expected: String) -> FileError {
    .unexpected(path: collection.path, name: name, found: "\(found)", expected: expected)
  }
}

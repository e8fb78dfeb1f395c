import SprintFormats
import SprintKernels

/// A group norm of 32 groups with epsilon 1e-6, as all published autoencoders have it.
struct GroupNorm: Sendable {
  static let groups = 32
  private static let epsilon: Float = 1e-6
  private let memory: Arena
  private let weight, bias: Vector<Float>

  /// Reads `name.weight` and `name.bias`.
  init(_ weights: NetworkWeights, _ name: String, channels: Int) throws {
    memory = Arena(count: 2 * Arena.aligned(channels))
    weight = memory.matrix(rows: 1, columns: channels).flattened
    bias = memory.matrix(rows: 1, columns: channels).flattened
    _ = weight.buffer.update(fromContentsOf: try weights.floats("\(name).weight", shapes: [channels]))
    _ = bias.buffer.update(fromContentsOf: try weights.floats("\(name).bias", shapes: [channels]))
  }

  /// C
  var channels: Int { weight.count }

  /// Sets what this norm does to images with these moments.
  func normalize(_ moments: GroupMoments, into scaling: ChannelScaling) {
    moments.normalize(weight: weight, bias: bias, epsilon: Self.epsilon, into: scaling)
  }
}

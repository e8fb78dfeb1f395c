import SprintFormats
import SprintKernels

/// A tensor that a network needs.
struct NeededTensor {
  /// What the network calls it.
  let name: String
  /// The names in the file of the tensors that follow one another in it, all of one shape.
  let parts: [String]
  /// The shape of each part.
  let shape: [Int]

  var count: Int { parts.count * shape.reduce(1, *) }
}

/// Tensors of a file in one arena, as float32 numbers.
struct LoadedTensors: Sendable {
  private let arena: Arena
  private let vectors: [String: Vector<Float>]

  /// Reads tensors; checks all shapes before it takes memory.
  init(_ needed: [NeededTensor], from weights: NetworkWeights) throws {
    for tensor in needed { try Self.check(tensor, weights) }
    arena = Arena(count: needed.reduce(0) { $0 + Arena.aligned($1.count) })
    var vectors: [String: Vector<Float>] = [:]
    for tensor in needed {
      let vector: Vector<Float> = arena.matrix(rows: 1, columns: tensor.count).flattened
      let size = tensor.count / tensor.parts.count
      for (index, part) in tensor.parts.enumerated() {
        let place = vector[index * size..<(index + 1) * size]
        try weights.read(part, into: place.buffer)
      }
      vectors[tensor.name] = vector
    }
    self.vectors = vectors
  }

  private static func check(_ tensor: NeededTensor, _ weights: NetworkWeights) throws {
    for part in tensor.parts {
      let shape = try weights.shape(part)
      guard shape == tensor.shape else {
        throw weights.unexpected(part, found: "\(shape)", expected: "\(tensor.shape)")
      }
    }
  }

  /// The numbers of a tensor.
  func vector(_ name: String) -> Vector<Float> {
    guard let vector = vectors[name] else { preconditionFailure("tensor \(name) was not asked for") }
    return vector
  }
}

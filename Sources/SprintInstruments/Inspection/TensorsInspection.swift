import SprintFormats

/// The tensors and the metadata of a safetensors file.
package struct TensorsInspection: Encodable {
  /// One tensor.
  package struct Tensor: Encodable {
    let name, type: String
    let shape: [Int]
  }

  let tensors: [Tensor]
  let elements: Int
  let metadata: [String: String]

  init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    tensors = file.entries.sorted { $0.key < $1.key }
      .map { Tensor(name: $0.key, type: $0.value.type, shape: $0.value.shape) }
    elements = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    metadata = file.metadata
  }

  var lines: [String] {
    ["safetensors, \(tensors.count) tensors, \(elements) elements"]
      + tensors.map { "  \($0.name) \($0.type) \($0.shape)" }
  }
}

import Foundation

extension SafetensorsFile {
  /// A float32 tensor for `write`.
  package struct Tensor {
    let name: String
    let shape: [Int]
    let values: UnsafeBufferPointer<Float>

    /// Describes a tensor; the caller keeps its elements alive.
    package init(name: String, shape: [Int], values: UnsafeBufferPointer<Float>) {
      precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(shape)")
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  /// Writes tensors in the given order, in one piece or not at all.
  package static func write(_ tensors: [Tensor], metadata: [String: String], to path: String) throws {
    let header = try header(tensors, metadata)
    try AtomicFile.create(path) { temporary in
      let file = try RandomAccessFile(creating: temporary)
      var place = 0
      func append(_ bytes: UnsafeRawBufferPointer) throws {
        try file.write(bytes, at: place)
        place += bytes.count
      }
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try append($0) }
      try header.withUnsafeBytes { try append($0) }
      for tensor in tensors { try append(UnsafeRawBufferPointer(tensor.values)) }
    }
  }

  /// Returns the header, padded with spaces so that the elements start at a multiple of eight bytes.
  private static func header(_ tensors: [Tensor], _ metadata: [String: String]) throws -> Data {
    var table: [String: Any] = ["__metadata__": metadata]
    var end = 0
    for tensor in tensors {
      let start = end
      end += tensor.values.count * 4
      table[tensor.name] = ["dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end]] as [String: Any]
    }
    var json = try JSONSerialization.data(withJSONObject: table, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
    return json
  }
}

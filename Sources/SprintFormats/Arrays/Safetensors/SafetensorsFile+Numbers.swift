extension SafetensorsFile {
  /// Returns the elements of a tensor of any floats or whole numbers.
  package func doubles(_ name: String) throws -> [Double] { try numbers(name) { $0.doubles($1) } }

  /// Returns the elements of a tensor of whole numbers, whatever type they are stored in.
  package func wholeNumbers(_ name: String) throws -> [Int64] {
    try numbers(name) { try $0.integers($1) { .unusable(path: path, problem: "`\(name)`: \($0)") } }
  }

  private func numbers<Number>(
    _ name: String, _ convert: (NumberType, UnsafeRawBufferPointer) throws -> [Number]
  ) throws -> [Number] {
    let entry = try entry(name)
    guard let type = NumberType(safetensors: entry.type) else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(entry.type) \(entry.shape)", expected: "floats or whole numbers")
    }
    return try withUnsafeTemporaryAllocation(byteCount: entry.bytes.count, alignment: 8) { bytes in
      try file.read(into: bytes, at: start + entry.bytes.lowerBound)
      return try convert(type, UnsafeRawBufferPointer(bytes))
    }
  }
}

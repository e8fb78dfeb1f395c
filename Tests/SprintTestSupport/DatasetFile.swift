import SprintFormats

/// Small data sets for tests.
package enum DatasetFile {
  /// Writes a data set.
  ///
  /// - Parameters:
  ///   - name: `/latents` or `/moments`
  ///   - numbers: attributes of numbers, by name
  ///   - texts: attributes of text, by name
  ///   - more: further data sets of floats
  ///   - chunked: whether the latents lie in pieces with checksums, instead of contiguously
  package static func write(
    _ path: String, name: String = "/latents", shape: [Int], values: [Float], labels: [Int64],
    numbers: [String: [Double]] = [:],
    texts: [String: String] = [:], chunked: Bool = false,
    features: (name: String, shape: [Int], values: [Float])? = nil,
    more: [(name: String, shape: [Int], values: [Float])] = []
  ) throws {
    let file = try HDF5File(creating: path)
    try values.withUnsafeBufferPointer { try file.write(name, shape: shape, $0, checked: chunked) }
    try file.write("/labels", shape: [labels.count], labels)
    for (key, value) in numbers { try file.write(attribute: key, value) }
    for (key, value) in texts { try file.write(attribute: key, value) }
    let all = (features.map { [("/features/\($0.name)", $0.shape, $0.values)] } ?? []) + more
    for group in Set(all.map { $0.0.split(separator: "/") }.filter { $0.count > 1 }.map { $0[0] }) {
      try file.createGroup(String(group))
    }
    for (name, shape, values) in all {
      try values.withUnsafeBufferPointer { try file.write(name, shape: shape, $0, checked: chunked) }
    }
    try file.close()
  }
}

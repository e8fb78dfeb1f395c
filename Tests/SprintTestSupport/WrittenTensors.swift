import Foundation
import SprintFormats

/// Writes tensors, in float32, as a safetensors file.
package func writeTensors(_ tensors: [(name: String, shape: [Int], values: [Float])], to path: String) throws {
  let all = tensors.flatMap(\.values)
  try all.withUnsafeBufferPointer { all in
    var start = 0
    let described = tensors.map { tensor in
      defer { start += tensor.values.count }
      return SafetensorsFile.Tensor(
        name: tensor.name, shape: tensor.shape,
        values: UnsafeBufferPointer(rebasing: all[start..<start + tensor.values.count]))
    }
    try SafetensorsFile.write(described, metadata: [:], to: path)
  }
}

/// The largest difference of two arrays by the largest number of the expected one.
package func largestError(_ found: [Float], _ expected: [Float]) -> Float {
  precondition(found.count == expected.count, "\(found.count) values against \(expected.count)")
  let difference = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
  return found.contains { !$0.isFinite } ? .infinity : difference / expected.reduce(0) { max($0, abs($1)) }
}

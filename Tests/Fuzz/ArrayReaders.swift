import Foundation
import SprintFormats
import SprintTraining

func readArray(_ bytes: UnsafeBufferPointer<UInt8>) { read(array: Data(bytes)) }

/// Reads an array in every way.
func read(array data: Data) {
  guard let array = try? NPYArray(data, name: "input") else { return }
  precondition(array.count <= data.count, "more elements than bytes")
  _ = try? array.integers()
  var values = [Float](repeating: 0, count: array.count)
  values.withUnsafeMutableBufferPointer { try? array.floats(into: $0) }
}

func readTensors(_ bytes: UnsafeBufferPointer<UInt8>) {
  let path = Scratch.write(UnsafeRawBufferPointer(bytes), to: "input.safetensors")
  guard let tensors = try? SafetensorsFile(path: path) else { return }
  for (name, entry) in tensors.entries {
    _ = try? tensors.integers(name)
    _ = try? tensors.bytes(name)
    var values = [Float](repeating: 0, count: entry.shape.reduce(1, *))
    precondition(values.count <= bytes.count, "more elements than bytes")
    values.withUnsafeMutableBufferPointer { try? tensors.floats(name, into: $0) }
  }
}

func readConfiguration(_ bytes: UnsafeBufferPointer<UInt8>) {
  guard let text = String(data: Data(bytes), encoding: .utf8) else { return }
  _ = try? Configuration(ConfigurationDocument(text: text, source: "input"))
}

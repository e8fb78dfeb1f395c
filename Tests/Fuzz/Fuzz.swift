import Foundation
import SprintFormats
import SprintTraining

// Runs one reader under libFuzzer; SPRINT_FUZZ names the reader. See launch/fuzz.sh.

private let reader = ProcessInfo.processInfo.environment["SPRINT_FUZZ"] ?? ""
private let file = "/dev/shm/sprint-fuzz-\(getpid()).safetensors"

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// The package manager links this as `main`; the fuzzer's own `main` would clash with it.
@_cdecl("fuzz_main")
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  var (count, arguments) = (count, arguments)
  return runFuzzer(&count, &arguments) { test($0, $1) }
}

/// Reads bytes as a file. Whatever is wrong with them must be an error: a trap ends the fuzzing.
private func test(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let data = Data(bytes: bytes, count: count)
  switch reader {
  case "npy": readArray(data)
  case "safetensors": readTensors(data)
  case "configuration": readConfiguration(data)
  default: preconditionFailure("SPRINT_FUZZ is `\(reader)`, expected npy, safetensors or configuration")
  }
  return 0
}

private func readArray(_ data: Data) {
  guard let array = try? NPYArray(data, name: "input") else { return }
  precondition(array.count <= data.count, "more elements than bytes")
  _ = try? array.integers()
  var values = [Float](repeating: 0, count: array.count)
  values.withUnsafeMutableBufferPointer { try? array.floats(into: $0) }
}

private func readTensors(_ data: Data) {
  let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  data.withUnsafeBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
  close(descriptor)
  guard let tensors = try? SafetensorsFile(path: file) else { return }
  for (name, entry) in tensors.entries {
    _ = try? tensors.integers(name)
    _ = try? tensors.bytes(name)
    var values = [Float](repeating: 0, count: entry.shape.reduce(1, *))
    precondition(values.count <= data.count, "more elements than bytes")
    values.withUnsafeMutableBufferPointer { try? tensors.floats(name, into: $0) }
  }
}

private func readConfiguration(_ data: Data) {
  guard let text = String(data: data, encoding: .utf8) else { return }
  _ = try? Configuration(ConfigurationDocument(text: text, source: "input"))
}

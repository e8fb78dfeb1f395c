import Foundation

// Runs one reader under libFuzzer; SPRINT_FUZZ names the reader. See launch/fuzz.sh.

/// The readers by name. Whatever is wrong with the bytes must be an error: a trap ends the fuzzing.
@MainActor private let readers: [String: @MainActor (UnsafeBufferPointer<UInt8>) -> Void] = [
  "jpeg": readJPEG,
  "png": readPNG,
  "npy": readArray,
  "safetensors": readTensors,
  "configuration": readConfiguration,
  "zip": readArchive,
  "lmdb": readDatabase,
  "events": readEvents,
  "hdf5-data": readLatents,
  "hdf5-attributes": readAttributes,
  "hdf5-raw": readDamagedLatents,
  "checkpoint": readCheckpoint,
  "statistics": readStatistics,
]

@MainActor private let reader = {
  let name = ProcessInfo.processInfo.environment["SPRINT_FUZZ"] ?? ""
  guard let reader = readers[name] else {
    preconditionFailure("SPRINT_FUZZ is `\(name)`, expected one of \(readers.keys.sorted())")
  }
  return reader
}()

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
  return runFuzzer(&count, &arguments) { bytes, count in
    nonisolated(unsafe) let input = UnsafeBufferPointer(start: bytes, count: count)
    MainActor.assumeIsolated { reader(input) }
    return 0
  }
}

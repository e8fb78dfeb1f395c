import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct SafetensorsTests {
  private func write(_ header: String, body: Int, length: UInt64? = nil, in folder: TemporaryFolder) throws -> String {
    var data = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header.utf8)
    data.append(contentsOf: (0..<body).map { UInt8($0 % 251) })
    let path = folder.file("t.safetensors")
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("Tensors and metadata are read; a wrong type, shape or name is refused")
  func reading() throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}"#
    let file = try SafetensorsFile(path: write(header, body: 16, in: folder))
    #expect(file.metadata == ["k": "v"])
    #expect(try file.floats("a", shape: [2]).count == 2 && file.integers("b", shape: []).count == 1)
    #expect(throws: FileError.self) { try file.floats("b") }
    #expect(throws: FileError.self) { try file.floats("a", shape: [1, 2]) }
    #expect(throws: FileError.self) { try file.floats("c") }
  }

  @Test(
    "A header that lies is refused with one line that names the file",
    arguments: [
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}"#, 16),  // bytes do not match the shape
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 16),  // bytes left over
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#, 16),  // a gap in front
      (
        #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"#
          + #""b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
        16
      ),  // an overlap
      (#"{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,16]}}"#, 16),  // an overflow
      (#"{"a":{"dtype":"F32","shape":[0,4611686018427387904,8],"data_offsets":[0,0]}}"#, 0),  // one behind a zero
      (#"{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}"#, 16),
      (#"{"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}}"#, 16),
      (#"{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}"#, 16),  // past the end
      (
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        8
      ),  // a name twice
      (#"{"a":3}"#, 16), (#"[1]"#, 16), (#"{"a""#, 16),
    ])
  func badHeaders(header: String, body: Int) throws {
    let folder = try TemporaryFolder()
    let path = try write(header, body: body, in: folder)
    #expect { try SafetensorsFile(path: path) } throws: { "\($0)".contains(path) && !"\($0)".contains("\n") }
  }

  @Test("Header lengths near 2^64 and files shorter than a header are refused", arguments: [UInt64.max, 1 << 63, 1000])
  func badLengths(length: UInt64) throws {
    let folder = try TemporaryFolder()
    let path = try write("{}", body: 0, length: length, in: folder)
    #expect(throws: FileError.self) { try SafetensorsFile(path: path) }
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try SafetensorsFile(path: path) }
  }

  @Test("Tensors are read back with the same bits; float16 and bfloat16 become floats")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [1.5, -0, .pi, 1e-38, -3e38, 7]
    try values.withUnsafeBufferPointer {
      try SafetensorsFile.write(
        [
          .init(name: "b \"x\"", shape: [2, 2], values: UnsafeBufferPointer(rebasing: $0[..<4])),
          .init(name: "a", shape: [2], values: UnsafeBufferPointer(rebasing: $0[4...])),
        ], metadata: ["who": "us"], to: folder.file("w.safetensors"))
    }
    let file = try SafetensorsFile(path: folder.file("w.safetensors"))
    #expect(file.metadata == ["who": "us"])
    let read = try file.floats("b \"x\"", shape: [2, 2]) + file.floats("a", shape: [2])
    #expect(read.map(\.bitPattern) == values.map(\.bitPattern))

    let header =
      #"{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}"#
    let halves = try SafetensorsFile(path: write(header, body: 8, in: folder))
    var numbers = [Float](repeating: 0, count: 1)
    try numbers.withUnsafeMutableBufferPointer { try halves.floats("h", from: 1, into: $0) }
    #expect(numbers[0] == Float(Float16(bitPattern: 0x0302)))
    try numbers.withUnsafeMutableBufferPointer { try halves.floats("b", from: 1, into: $0) }
    #expect(numbers[0] == Float(bitPattern: 0x0706_0000))
  }
}

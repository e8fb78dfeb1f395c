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
      (#"{"a":{"dtype":"F7","shape":[2],"data_offsets":[0,16]}}"#, 16),
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

  @Test(
    "Every type of the format is known with its size; elements below a byte have to fill whole ones",
    arguments: [
      ("BOOL", 8), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8),
      ("F8_E5M2FNUZ", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("I16", 16), ("U16", 16), ("F16", 16),
      ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32), ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ])
  func types(type: String, bits: Int) throws {
    let folder = try TemporaryFolder()
    func header(_ count: Int, _ bytes: Int) -> String {
      #"{"a":{"dtype":"\#(type)","shape":[\#(count)],"data_offsets":[0,\#(bytes)]}}"#
    }
    let file = try SafetensorsFile(path: write(header(4, bits / 2), body: bits / 2, in: folder))
    #expect(try file.entry("a").type == type && file.entry("a").shape == [4])
    if ["F4", "F6_E2M3", "F6_E3M2"].contains(type) {
      #expect { try SafetensorsFile(path: write(header(1, 1), body: 1, in: folder)) } throws: {
        "\($0)".contains("no whole bytes")
      }
    }
    guard !["F32", "F16", "BF16", "F64"].contains(type) else { return }
    var values = [Float](repeating: 0, count: 4)
    #expect { try values.withUnsafeMutableBufferPointer { try file.floats("a", into: $0) } } throws: {
      "\($0)".contains("\(type) [4], expected F32, F16, BF16 or F64")
    }
  }

  @Test("Doubles are rounded to floats, and whole numbers of every size are read")
  func otherNumbers() throws {
    let folder = try TemporaryFolder()
    let doubles = #"{"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}"#
    let path = try write(doubles, body: 0, in: folder)
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    for number in [0.1, -3e5] { withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    try data.write(to: URL(fileURLWithPath: path))
    var values: [Float] = [0, 0]
    let file = try SafetensorsFile(path: path)
    try values.withUnsafeMutableBufferPointer { try file.floats("d", into: $0) }
    #expect(values == [Float(0.1), -300_000])
    for (type, bytes, expected) in [
      ("I8", 1, [0, 1]), ("U8", 1, [0, 1]), ("I16", 2, [256, 770]), ("U16", 2, [256, 770]),
      ("I32", 4, [50_462_976, 117_835_012]), ("U32", 4, [50_462_976, 117_835_012]),
    ] as [(String, Int, [Int64])] {
      let header = #"{"a":{"dtype":"\#(type)","shape":[2],"data_offsets":[0,\#(2 * bytes)]}}"#
      let numbers = try SafetensorsFile(path: write(header, body: 2 * bytes, in: folder)).integers("a", shape: [2])
      #expect(numbers == expected, "\(type)")
    }
  }

  @Test(
    "Metadata that are numbers are kept as text, and others are left out",
    arguments: [
      (#"{"format":"pt","step":5}"#, ["format": "pt", "step": "5"]), ("null", [:]), (#"{"a":[1],"b":"c"}"#, ["b": "c"]),
    ])
  func metadata(json: String, expected: [String: String]) throws {
    let folder = try TemporaryFolder()
    let header = #"{"__metadata__":\#(json),"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    #expect(try SafetensorsFile(path: write(header, body: 4, in: folder)).metadata == expected)
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

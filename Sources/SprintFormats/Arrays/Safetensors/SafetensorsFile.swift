import Foundation

/// A safetensors file: named tensors behind a JSON header. Only the tensors that are read take memory.
/// https://huggingface.co/docs/safetensors
package struct SafetensorsFile: Sendable {
  /// A tensor's entry in the header.
  package struct Entry: Sendable, Equatable {
    /// The element type, e.g. `F32`.
    package let type: String
    /// The extents, outermost first.
    package let shape: [Int]
    /// The place of its bytes behind the header.
    let bytes: Range<Int>
  }

  /// The path of the file.
  package let path: String
  /// The entries by name.
  package let entries: [String: Entry]
  /// The header's free text.
  package let metadata: [String: String]
  let file: RandomAccessFile
  /// The place of the first tensor in the file.
  let start: Int

  /// Room for about 40,000 tensors. JSON in memory takes many times its size.
  static let largestHeader: UInt64 = 4_000_000

  /// Opens a file and checks its whole header.
  package init(path: String) throws {
    do { try self.init(checking: path) } catch let error as FileError {
      throw FileError.otherKind(path, expected: .safetensors) ?? error
    }
  }

  private init(checking path: String) throws {
    self.path = path
    func malformed(_ problem: String) -> FileError {
      .unusable(path: path, problem: "not a valid safetensors file: \(problem)")
    }
    let file = try RandomAccessFile(reading: path)
    let size = try file.size
    guard size >= 8 else { throw malformed("\(size) bytes, expected at least 8") }
    var length: UInt64 = 0
    try withUnsafeMutableBytes(of: &length) { try file.read(into: $0, at: 0) }
    length = UInt64(littleEndian: length)
    guard length <= Self.largestHeader, length <= UInt64(size - 8) else {
      throw malformed("a header of \(length) bytes in a file of \(size), expected at most \(Self.largestHeader)")
    }
    var json = Data(count: Int(length))
    try json.withUnsafeMutableBytes { try file.read(into: $0, at: 8) }
    (self.file, start) = (file, 8 + json.count)
    let header = try SafetensorsHeader(json, body: size - start, malformed)
    (entries, metadata) = (header.entries, header.metadata)
  }

  /// Returns the entry of a tensor; throws if the file does not have it.
  package func entry(_ name: String) throws -> Entry {
    guard let entry = entries[name] else {
      throw FileError.unusable(
        path: path, problem: "there is no tensor `\(name)`; was the file made for something else?")
    }
    return entry
  }

  /// Returns the elements of a float32 tensor; throws if it has another type, or another shape than `shape`.
  package func floats(_ name: String, shape: [Int]? = nil) throws -> [Float] { try elements(name, "F32", shape) }

  /// Returns the elements of a tensor of whole numbers; throws if it has another type, or another shape than `shape`.
  package func integers(_ name: String, shape: [Int]? = nil) throws -> [Int64] {
    switch try entry(name).type {
    case "I32": try elements(name, "I32", shape).map { (number: Int32) in Int64(number) }
    case "I16": try elements(name, "I16", shape).map { (number: Int16) in Int64(number) }
    case "I8": try elements(name, "I8", shape).map { (number: Int8) in Int64(number) }
    case "U32": try elements(name, "U32", shape).map { (number: UInt32) in Int64(number) }
    case "U16": try elements(name, "U16", shape).map { (number: UInt16) in Int64(number) }
    case "U8": try elements(name, "U8", shape).map { (number: UInt8) in Int64(number) }
    default: try elements(name, "I64", shape)
    }
  }

  /// Returns the elements of a byte tensor; throws if it has another type, or another shape than `shape`.
  package func bytes(_ name: String, shape: [Int]? = nil) throws -> [UInt8] { try elements(name, "U8", shape) }

  private func elements<Element: BitwiseCopyable>(_ name: String, _ type: String, _ shape: [Int]?) throws -> [Element] {
    let entry = try entry(name)
    guard entry.type == type, shape == nil || entry.shape == shape else {
      let expected = "\(type) \(shape.map { "\($0)" } ?? "")"
      throw unexpected(name, entry, expected)
    }
    let count = entry.bytes.count / MemoryLayout<Element>.stride
    return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: start + entry.bytes.lowerBound)
      initialized = count
    }
  }

  /// Reads elements of a tensor of F32, F16, BF16 or F64 as floats, from element `first` on.
  package func floats(_ name: String, from first: Int = 0, into values: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    let size = (SafetensorsHeader.bits[entry.type] ?? 0) / 8
    precondition((first + values.count) * size <= entry.bytes.count, "elements \(first)... of `\(name)`")
    let place = start + entry.bytes.lowerBound + first * size
    switch entry.type {
    case "F32": try file.read(into: UnsafeMutableRawBufferPointer(values), at: place)
    case "F16":
      try withUnsafeTemporaryAllocation(of: Float16.self, capacity: values.count) { halves in
        try file.read(into: UnsafeMutableRawBufferPointer(halves), at: place)
        for i in values.indices { values[i] = Float(halves[i]) }
      }
    case "BF16":
      try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: values.count) { halves in
        try file.read(into: UnsafeMutableRawBufferPointer(halves), at: place)
        for i in values.indices { values[i] = Float(bitPattern: UInt32(halves[i]) << 16) }
      }
    case "F64":
      try withUnsafeTemporaryAllocation(of: Double.self, capacity: values.count) { doubles in
        try file.read(into: UnsafeMutableRawBufferPointer(doubles), at: place)
        for i in values.indices { values[i] = Float(doubles[i]) }
      }
    default: throw unexpected(name, entry, "F32, F16, BF16 or F64")
    }
  }

  private func unexpected(_ name: String, _ entry: Entry, _ expected: String) -> FileError {
    .unexpected(path: path, name: name, found: "\(entry.type) \(entry.shape)", expected: expected)
  }
}

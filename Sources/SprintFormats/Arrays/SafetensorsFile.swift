import Foundation

/// Why a safetensors file could not be read.
package enum SafetensorsError: Error, CustomStringConvertible {
  /// The file is not what it claims to be.
  case malformed(path: String, problem: String)
  /// The file lacks a tensor.
  case missing(path: String, name: String)
  /// A tensor has another shape or element type than expected.
  case unexpected(path: String, name: String, found: String, expected: String)

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .malformed(let path, let problem): "\(path): not a valid safetensors file: \(problem)"
    case .missing(let path, let name): "\(path): there is no tensor `\(name)`; was the file made for something else?"
    case .unexpected(let path, let name, let found, let expected):
      "\(path): tensor `\(name)` is \(found), expected \(expected)"
    }
  }
}

/// A safetensors file: named tensors behind a JSON header. Only what is read takes memory.
package struct SafetensorsFile: Sendable {
  /// A tensor's entry in the header.
  package struct Entry: Sendable, Equatable {
    /// Element type, e.g. `F32`.
    package let type: String
    /// Extents, outermost first.
    package let shape: [Int]
    /// Bytes behind the header.
    let bytes: Range<Int>
  }

  /// Where the file lies.
  package let path: String
  /// The entries by name.
  package let entries: [String: Entry]
  /// The header's free text.
  package let metadata: [String: String]
  private let file: RandomAccessFile
  /// Where the data begin in the file.
  private let start: Int

  static let sizes = ["F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1]
  private static let largestHeader: UInt64 = 100_000_000

  /// Opens a file and checks its whole header: types, shapes, bounds, overlaps and gaps.
  package init(path: String) throws {
    self.path = path
    func malformed(_ problem: String) -> SafetensorsError { .malformed(path: path, problem: problem) }
    let file = try RandomAccessFile(reading: path)
    let size = try file.size
    guard size >= 8 else { throw malformed("\(size) bytes, expected at least 8") }
    var length: UInt64 = 0
    try withUnsafeMutableBytes(of: &length) { try file.read(into: $0, at: 0) }
    length = UInt64(littleEndian: length)
    guard length <= Self.largestHeader, length <= UInt64(size - 8) else {
      throw malformed("a header of \(length) bytes in a file of \(size)")
    }
    var header = Data(count: Int(length))
    try header.withUnsafeMutableBytes { try file.read(into: $0, at: 8) }
    (self.file, start) = (file, 8 + header.count)
    guard let table = (try? JSONSerialization.jsonObject(with: header)) as? [String: Any] else {
      throw malformed("its header is not a JSON object")
    }
    guard Self.members(ofObject: header) == table.count else { throw malformed("its header names a tensor twice") }
    metadata = table["__metadata__"] as? [String: String] ?? [:]
    let body = size - start
    var entries: [String: Entry] = [:]
    for (name, value) in table where name != "__metadata__" {
      entries[name] = try Self.entry(value, body: body) { malformed("tensor `\(name)` \($0)") }
    }
    var end = 0
    for (name, entry) in entries.sorted(by: {
      ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound)
    }) {
      guard entry.bytes.lowerBound == end else {
        throw malformed(
          "tensor `\(name)` starts at byte \(entry.bytes.lowerBound), expected \(end): an overlap or a gap")
      }
      end = entry.bytes.upperBound
    }
    guard end == body else { throw malformed("\(body) bytes of data, the header describes \(end)") }
    self.entries = entries
  }

  /// How many members a JSON object has, those of the same name included, which a dictionary no longer shows.
  private static func members(ofObject json: Data) -> Int {
    var (count, depth, isText, isEscaped) = (0, 0, false, false)
    for byte in json {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\"): isEscaped = isText
      case UInt8(ascii: "\""): isText.toggle()
      case _ where isText: break
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":") where depth == 1: count += 1
      default: break
      }
    }
    return count
  }

  private static func entry(_ value: Any, body: Int, _ malformed: (String) -> SafetensorsError) throws -> Entry {
    guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
      let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int]
    else { throw malformed("needs dtype, shape and data_offsets") }
    guard let size = sizes[type] else { throw malformed("has the unknown type \(type)") }
    guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= body else {
      throw malformed("lies at bytes \(offsets) of \(body)")
    }
    var expected = size
    for extent in shape {
      let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw malformed("has the impossible shape \(shape)") }
      expected = product
    }
    guard offsets[1] - offsets[0] == expected else {
      throw malformed("has \(offsets[1] - offsets[0]) bytes, its shape \(shape) of \(type) needs \(expected)")
    }
    return Entry(type: type, shape: shape, bytes: offsets[0]..<offsets[1])
  }

  /// The entry of a tensor that has to be there.
  package func entry(_ name: String) throws -> Entry {
    guard let entry = entries[name] else { throw SafetensorsError.missing(path: path, name: name) }
    return entry
  }

  /// A float32 tensor's elements, after checking its shape where one is given.
  package func floats(_ name: String, shape: [Int]? = nil) throws -> [Float] { try elements(name, "F32", shape) }

  /// An int64 tensor's elements, after checking its shape where one is given.
  package func integers(_ name: String, shape: [Int]? = nil) throws -> [Int64] { try elements(name, "I64", shape) }

  /// A byte tensor's elements, after checking its shape where one is given.
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

  /// Elements of a tensor from number `first` on, as floats: of F32, F16 or BF16.
  package func floats(_ name: String, from first: Int = 0, into values: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    let size = Self.sizes[entry.type] ?? 0
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
    default: throw unexpected(name, entry, "F32, F16 or BF16")
    }
  }

  private func unexpected(_ name: String, _ entry: Entry, _ expected: String) -> SafetensorsError {
    .unexpected(path: path, name: name, found: "\(entry.type) \(entry.shape)", expected: expected)
  }
}

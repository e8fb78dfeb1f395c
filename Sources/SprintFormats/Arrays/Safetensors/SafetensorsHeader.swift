import Foundation

/// The JSON header of a safetensors file, checked as a whole: types, shapes, bounds, overlaps and gaps.
struct SafetensorsHeader {
  let entries: [String: SafetensorsFile.Entry]
  let metadata: [String: String]

  /// The bits of an element, by type.
  static let bits = [
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
  ]

  /// Parses a header.
  ///
  /// - Parameters:
  ///   - body: how many bytes follow the header
  ///   - malformed: makes an error of what is wrong
  init(_ json: Data, body: Int, _ malformed: (String) -> FileError) throws {
    guard let table = (try? JSONSerialization.jsonObject(with: json)) as? [String: Any] else {
      throw malformed("its header is not a JSON object")
    }
    guard Self.members(ofObject: json) == table.count else { throw malformed("its header names a tensor twice") }
    // The format wants texts; other programs write numbers too.
    metadata = (table["__metadata__"] as? [String: Any] ?? [:]).compactMapValues {
      $0 as? String ?? ($0 as? NSNumber).map { "\($0)" }
    }
    var entries: [String: SafetensorsFile.Entry] = [:]
    for (name, value) in table where name != "__metadata__" {
      entries[name] = try Self.entry(value, body: body) { malformed("tensor `\(name)` \($0)") }
    }
    self.entries = entries
    try checkCoverage(of: body, malformed)
  }

  /// Throws unless the tensors fill the body without overlap or gap.
  private func checkCoverage(of body: Int, _ malformed: (String) -> FileError) throws {
    let inOrder = entries.sorted {
      ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound)
    }
    var end = 0
    for (name, entry) in inOrder {
      guard entry.bytes.lowerBound == end else {
        throw malformed(
          "tensor `\(name)` starts at byte \(entry.bytes.lowerBound), expected \(end): an overlap or a gap")
      }
      end = entry.bytes.upperBound
    }
    guard end == body else { throw malformed("\(body) bytes of data, the header describes \(end)") }
  }

  private static func entry(
    _ value: Any, body: Int, _ malformed: (String) -> FileError
  ) throws -> SafetensorsFile.Entry {
    guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
      let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int]
    else { throw malformed("needs dtype, shape and data_offsets") }
    guard let bits = bits[type] else { throw malformed("has the unknown type \(type)") }
    guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= body else {
      throw malformed("lies at bytes \(offsets) of \(body); is the file truncated?")
    }
    guard let count = elementCount(of: shape) else { throw malformed("has the impossible shape \(shape)") }
    let (total, overflow) = count.multipliedReportingOverflow(by: bits)
    guard !overflow, total % 8 == 0 else {
      throw malformed("has the shape \(shape), whose elements of \(bits) bits fill no whole bytes")
    }
    let expected = total / 8
    guard offsets[1] - offsets[0] == expected else {
      throw malformed("has \(offsets[1] - offsets[0]) bytes, its shape \(shape) of \(type) needs \(expected)")
    }
    return SafetensorsFile.Entry(type: type, shape: shape, bytes: offsets[0]..<offsets[1])
  }

  /// Returns the number of members of a JSON object. A dictionary hides members that share a name; this count does not.
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
}

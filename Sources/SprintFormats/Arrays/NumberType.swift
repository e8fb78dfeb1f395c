/// A type of the numbers in an array file, in little-endian order.
package enum NumberType: Sendable, CaseIterable {
  case float16, bfloat16, float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case bool

  /// The size of a number in bytes.
  var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Returns number `index` of an array.
  func double(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double {
    switch self {
    case .float16: Double(load(bytes, index) as Float16)
    case .bfloat16: Double(Float(bitPattern: UInt32(load(bytes, index) as UInt16) << 16))
    case .float32: Double(load(bytes, index) as Float)
    case .float64: load(bytes, index)
    case .uint64: Double(load(bytes, index) as UInt64)
    default: Double(integer(bytes, index) ?? 0)
    }
  }

  /// Returns number `index` of an array as a whole number, or nil if it is none, or beyond 64 bits with a sign.
  func integer(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int64? {
    switch self {
    case .int8: Int64(load(bytes, index) as Int8)
    case .int16: Int64(load(bytes, index) as Int16)
    case .int32: Int64(load(bytes, index) as Int32)
    case .int64: load(bytes, index) as Int64
    case .uint8, .bool: Int64(bytes[index])
    case .uint16: Int64(load(bytes, index) as UInt16)
    case .uint32: Int64(load(bytes, index) as UInt32)
    case .uint64: Int64(exactly: load(bytes, index) as UInt64)
    case .float16, .bfloat16, .float32, .float64: Int64(exactly: double(bytes, index))
    }
  }

  private func load<Number: BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Number {
    bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: Number.self)
  }

  /// Returns all numbers of an array.
  func doubles(_ bytes: UnsafeRawBufferPointer) -> [Double] { (0..<bytes.count / size).map { double(bytes, $0) } }

  /// Returns all numbers of an array as whole numbers; throws what `unfit` makes of the first one that is none.
  func integers(_ bytes: UnsafeRawBufferPointer, _ unfit: (_ problem: String) -> FileError) throws -> [Int64] {
    try (0..<bytes.count / size).map { index in
      guard let number = integer(bytes, index) else {
        let found = self == .uint64 ? "\(load(bytes, index) as UInt64)" : "\(double(bytes, index))"
        throw unfit("number \(index) is \(found), expected a whole number")
      }
      return number
    }
  }
}

extension NumberType {
  /// Finds a type by numpy's name, such as `<f4`, whatever the order of bytes that it begins with.
  package init?(numpy name: String) {
    guard let type = Self.allCases.first(where: { $0.numpy?.dropFirst() == name.dropFirst() }),
      ["<", ">", "|", "="].contains(name.prefix(1))
    else { return nil }
    self = type
  }

  /// numpy's name of the type; nil for bfloat16, which numpy does not know.
  var numpy: String? {
    switch self {
    case .bfloat16: nil
    case .float16, .float32, .float64: "<f\(size)"
    case .int16, .int32, .int64: "<i\(size)"
    case .uint16, .uint32, .uint64: "<u\(size)"
    case .int8: "|i1"
    case .uint8: "|u1"
    case .bool: "|b1"
    }
  }

  /// Finds a type by the name that safetensors files give it, such as `F32`.
  init?(safetensors name: String) {
    switch name {
    case "BF16": self = .bfloat16
    case "BOOL": self = .bool
    default:
      let bits = Int(name.dropFirst())
      let kinds = ["F": "f", "I": "i", "U": "u"]
      guard let kind = kinds[String(name.prefix(1))], let bits, bits > 0, bits % 8 == 0 else { return nil }
      self.init(numpy: "<\(kind)\(bits / 8)")
    }
  }
}

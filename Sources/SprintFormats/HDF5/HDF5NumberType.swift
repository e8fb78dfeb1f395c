import CHDF5

/// A type of numbers as every machine stores them: IEEE numbers of 16, 32 or 64 bits, bfloat16, whole numbers of 8 to
/// 64 bits.
/// sprint converts them itself, so that no odd type in a file reaches the library's conversions.
package struct HDF5NumberType: Sendable, Equatable {
  enum Kind: Sendable { case float, bfloat16, signed, unsigned }

  let kind: Kind
  /// The size of a number.
  package let bytes: Int
  private let isBigEndian: Bool

  /// Whether floats of this type can be copied as they are.
  package var isPlainFloat: Bool { kind == .float && bytes == 4 && !isBigEndian }
  /// Whether whole numbers of this type can be copied as they are.
  var isPlainInteger: Bool { kind == .signed && bytes == 8 && !isBigEndian }
  /// Whether the bytes of a number are in this machine's order.
  var isLittleEndian: Bool { !isBigEndian }

  /// Nil for any other type, such as texts or numbers whose bits lie elsewhere. The caller holds the library's lock.
  init?(_ type: hid_t) {
    switch H5Tget_class(type) {
    case H5T_FLOAT: self.init(float: type)
    case H5T_INTEGER: self.init(integer: type)
    case H5T_ENUM:
      // Python's truth values.
      let numbers = H5Tget_super(type)
      defer { H5Tclose(numbers) }
      guard H5Tget_class(numbers) == H5T_INTEGER else { return nil }
      self.init(integer: numbers)
    default: return nil
    }
  }

  private init?(_ kind: Kind, _ type: hid_t, sizes: [Int]) {
    (self.kind, bytes, isBigEndian) = (kind, H5Tget_size(type), H5Tget_order(type) == H5T_ORDER_BE)
    guard sizes.contains(bytes), H5Tget_precision(type) == 8 * bytes, H5Tget_offset(type) == 0,
      bytes == 1 || isBigEndian || H5Tget_order(type) == H5T_ORDER_LE
    else { return nil }
  }

  private init?(integer type: hid_t) {
    self.init(H5Tget_sign(type) == H5T_SGN_2 ? .signed : .unsigned, type, sizes: [1, 2, 4, 8])
  }

  private init?(float type: hid_t) {
    var (sign, exponent, exponentBits, mantissa, mantissaBits) = (0, 0, 0, 0, 0)
    guard H5Tget_fields(type, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits) >= 0 else { return nil }
    // Python has no name for bfloat16: files hold it as a float of 16 bits with the exponent of float32.
    self.init(H5Tget_size(type) == 2 && exponentBits == 8 ? .bfloat16 : .float, type, sizes: [2, 4, 8])
    let expected = kind == .bfloat16 ? (8, 7) : [2: (5, 10), 4: (8, 23), 8: (11, 52)][bytes] ?? (0, 0)
    guard sign == 8 * bytes - 1, (exponent, exponentBits) == (expected.1, expected.0),
      (mantissa, mantissaBits) == (0, expected.1), H5Tget_ebias(type) == 1 << (expected.0 - 1) - 1,
      H5Tget_norm(type) == H5T_NORM_IMPLIED
    else { return nil }
  }

  // MARK: Conversion

  /// Converts numbers to floats.
  package func convert(_ source: UnsafeRawBufferPointer, to values: UnsafeMutableBufferPointer<Float>) {
    switch (kind, bytes) {
    case (.bfloat16, _): each(source, values) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    case (.float, 2): each(source, values) { (bits: UInt16) in Float(Float16(bitPattern: bits)) }
    case (.float, 4): each(source, values) { (bits: UInt32) in Float(bitPattern: bits) }
    case (.float, _): each(source, values) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case (.signed, 1): each(source, values) { (number: Int8) in Float(number) }
    case (.signed, 2): each(source, values) { (number: Int16) in Float(number) }
    case (.signed, 4): each(source, values) { (number: Int32) in Float(number) }
    case (.signed, _): each(source, values) { (number: Int64) in Float(number) }
    case (.unsigned, 1): each(source, values) { (number: UInt8) in Float(number) }
    case (.unsigned, 2): each(source, values) { (number: UInt16) in Float(number) }
    case (.unsigned, 4): each(source, values) { (number: UInt32) in Float(number) }
    case (.unsigned, _): each(source, values) { (number: UInt64) in Float(number) }
    }
  }

  /// Converts numbers to whole numbers of 64 bits. Returns the place of the first one that is none, or nil.
  func convert(_ source: UnsafeRawBufferPointer, to values: UnsafeMutableBufferPointer<Int64>) -> Int? {
    var odd: Int?
    func whole<Number: FixedWidthInteger>(_ type: Number.Type) {
      each(source, values) { (number: Number) in Int64(truncatingIfNeeded: number) }
    }
    func exact<Bits: FixedWidthInteger>(_ value: (Bits) -> Int64?) {
      var index = 0
      each(source, values) { (bits: Bits) in
        defer { index += 1 }
        guard let number = value(bits) else {
          odd = odd ?? index
          return 0
        }
        return number
      }
    }
    switch (kind, bytes) {
    case (.bfloat16, _): exact { (bits: UInt16) in Int64(exactly: Float(bitPattern: UInt32(bits) << 16)) }
    case (.float, 2): exact { (bits: UInt16) in Int64(exactly: Float16(bitPattern: bits)) }
    case (.float, 4): exact { (bits: UInt32) in Int64(exactly: Float(bitPattern: bits)) }
    case (.float, _): exact { (bits: UInt64) in Int64(exactly: Double(bitPattern: bits)) }
    case (.signed, 1): whole(Int8.self)
    case (.signed, 2): whole(Int16.self)
    case (.signed, 4): whole(Int32.self)
    case (.signed, _): whole(Int64.self)
    case (.unsigned, 1): whole(UInt8.self)
    case (.unsigned, 2): whole(UInt16.self)
    case (.unsigned, 4): whole(UInt32.self)
    case (.unsigned, _): exact { (number: UInt64) in Int64(exactly: number) }
    }
    return odd
  }

  private func each<Bits: FixedWidthInteger, Value>(
    _ source: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Value>, _ convert: (Bits) -> Value
  ) {
    precondition(source.count == values.count * bytes, "\(source.count) bytes for \(values.count) numbers")
    for i in values.indices {
      let bits = source.loadUnaligned(fromByteOffset: i * MemoryLayout<Bits>.size, as: Bits.self)
      values[i] = convert(isBigEndian ? bits.byteSwapped : bits)
    }
  }
}

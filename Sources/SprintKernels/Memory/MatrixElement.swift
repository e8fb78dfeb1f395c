import CInstructions

/// A number format in which matrices and vectors are stored. Operations load sixteen elements as float32, compute in
/// float32, and round once when they store.
package protocol MatrixElement: BitwiseCopyable, Sendable {
  /// How passes in this format are called in configurations.
  static var precision: Precision { get }

  /// The element nearest to a number.
  init(_ value: Float)
  /// The number that is stored.
  var float: Float { get }

  /// Loads sixteen elements.
  static func load(_ source: UnsafePointer<Self>) -> SIMD16<Float>
  /// Rounds sixteen numbers and stores them.
  static func store(_ values: SIMD16<Float>, _ target: UnsafeMutablePointer<Self>)
  /// Loads the first `lanes` of sixteen elements, fewer than sixteen; the others are zero.
  static func load(_ source: UnsafePointer<Self>, lanes: Int) -> SIMD16<Float>
  /// Rounds and stores the first `lanes` of sixteen numbers, fewer than sixteen.
  static func store(_ values: SIMD16<Float>, _ target: UnsafeMutablePointer<Self>, lanes: Int)

  /// Computes a product of matrices of this format; `MatrixProduct` says of what.
  static func multiply<Result: MatrixElement>(_ product: MatrixProduct<Self, Result>)
}

extension Float: MatrixElement {
  package static var precision: Precision { .float32 }
  @inline(__always) package var float: Float { self }

  @inline(__always)
  package static func load(_ source: UnsafePointer<Float>) -> SIMD16<Float> {
    UnsafeRawPointer(source).loadUnaligned(as: SIMD16<Float>.self)
  }

  @inline(__always)
  package static func store(_ values: SIMD16<Float>, _ target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: values, as: SIMD16<Float>.self)
  }

  @inline(__always)
  package static func load(_ source: UnsafePointer<Float>, lanes: Int) -> SIMD16<Float> {
    sprint_load_part(source, lanes)
  }

  @inline(__always)
  package static func store(_ values: SIMD16<Float>, _ target: UnsafeMutablePointer<Float>, lanes: Int) {
    sprint_store_part(values, target, lanes)
  }
}

/// The upper half of a float32 number: its sign, its exponent and seven bits of its fraction.
package struct BFloat16: Equatable, MatrixElement {
  /// The sixteen bits.
  package let bits: UInt16

  package static var precision: Precision { .bfloat16 }

  /// Rounds to the nearest number, ties to even; NaN stays NaN.
  @inline(__always)
  package init(_ value: Float) {
    let word = value.bitPattern
    let rounded = UInt16(truncatingIfNeeded: (word &+ 0x7fff &+ (word >> 16 & 1)) >> 16)
    bits = word & 0x7fff_ffff > 0x7f80_0000 ? UInt16(truncatingIfNeeded: word >> 16) | 0x40 : rounded
  }

  @inline(__always)
  package var float: Float { Float(bitPattern: UInt32(bits) << 16) }

  @inline(__always)
  package static func load(_ source: UnsafePointer<BFloat16>) -> SIMD16<Float> { sprint_load_bfloat16(source) }

  @inline(__always)
  package static func store(_ values: SIMD16<Float>, _ target: UnsafeMutablePointer<BFloat16>) {
    sprint_store_bfloat16(values, target)
  }

  @inline(__always)
  package static func load(_ source: UnsafePointer<BFloat16>, lanes: Int) -> SIMD16<Float> {
    sprint_load_part_bfloat16(source, lanes)
  }

  @inline(__always)
  package static func store(_ values: SIMD16<Float>, _ target: UnsafeMutablePointer<BFloat16>, lanes: Int) {
    sprint_store_part_bfloat16(values, target, lanes)
  }
}

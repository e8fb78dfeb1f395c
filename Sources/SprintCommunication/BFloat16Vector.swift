import SprintKernels

/// A view of memory as bfloat16 numbers. A bfloat16 number is the upper half of a float32 number.
struct BFloat16Vector {
  private let base: UnsafeMutablePointer<UInt16>
  let count: Int

  /// A view of the memory of `floats`, which has room for twice as many bfloat16 numbers.
  init(_ floats: Vector) {
    self.init(
      UnsafeMutableRawPointer(floats.base).assumingMemoryBound(to: UInt16.self), count: 2 * floats.count)
  }

  private init(_ base: UnsafeMutablePointer<UInt16>, count: Int) { (self.base, self.count) = (base, count) }

  subscript(range: Range<Int>) -> BFloat16Vector {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
    return BFloat16Vector(base + range.lowerBound, count: range.count)
  }

  func dropFirst(_ elements: Int) -> BFloat16Vector { self[elements..<count] }

  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: 2 * count) }

  /// Stores `values` rounded to the nearest number, ties to even; NaN stays NaN.
  func round(_ values: Vector) {
    precondition(values.count == count, "rounding needs equal counts")
    for i in 0..<count {
      let bits = values[i].bitPattern
      let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
      base[i] = bits & 0x7FFF_FFFF > 0x7F80_0000 ? 0x7FC0 : rounded
    }
  }

  /// Writes the numbers as float32.
  func widen(into values: Vector) {
    for i in 0..<count { values[i] = Float(bitPattern: UInt32(base[i]) << 16) }
  }

  /// Adds the numbers to `values` in float32.
  func add(to values: Vector) {
    for i in 0..<count { values[i] += Float(bitPattern: UInt32(base[i]) << 16) }
  }

  func copy(to other: BFloat16Vector) { other.base.update(from: base, count: count) }
}

// Loops over sixteen lanes at a time, and the elementary functions that the standard library lacks for them. Only
// operations that compile to whole-register instructions are used: adding 1.5 * 2^23 rounds, shifting into the exponent
// makes powers of two, a masked replacement clamps.

extension UnsafeMutablePointer where Pointee: MatrixElement {
  /// Loads `lanes` elements from offset `i`; the other lanes are zero.
  @inline(__always)
  func load(_ i: Int, _ lanes: Int) -> SIMD16<Float> {
    lanes == 16 ? Pointee.load(self + i) : Pointee.load(self + i, lanes: lanes)
  }

  /// Rounds and writes the first `lanes` lanes of `value` at offset `i`.
  @inline(__always)
  func store(_ value: SIMD16<Float>, _ i: Int, _ lanes: Int) {
    if lanes == 16 { Pointee.store(value, self + i) } else { Pointee.store(value, self + i, lanes: lanes) }
  }
}

/// The places of `count` elements, sixteen at a time: the first one's offset, and how many they are at the end. A
/// sequence rather than a function that takes a closure, because the compiler calls long closures for every sixteen
/// elements.
struct Vectors: Sequence, IteratorProtocol {
  private let count: Int
  private var next16 = 0

  @inline(__always)
  init(_ count: Int) { self.count = count }

  @inline(__always)
  mutating func next() -> (offset: Int, lanes: Int)? {
    guard next16 < count else { return nil }
    defer { next16 &+= 16 }
    return (next16, Swift.min(16, count &- next16))
  }
}

/// e^x in each lane, with a relative error below 2e-7; x is clamped to [-87, 88].
@inline(__always)
func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
  var x = x.replacing(with: -87, where: x .< -87)
  x.replace(with: 88, where: x .> 88)
  let magic = SIMD16<Float>(repeating: 12_582_912)
  let shifted = magic.addingProduct(x, SIMD16(repeating: 1.442_695_04))
  let n = shifted - magic
  // Cody-Waite: ln 2 in two parts keeps the low bits of the remainder.
  var r = x.addingProduct(n, SIMD16(repeating: -0.693_359_375))
  r = r.addingProduct(n, SIMD16(repeating: 2.121_944_4e-4))
  var p = SIMD16<Float>(repeating: 1.987_569_15e-4)
  p = SIMD16(repeating: 1.398_199_95e-3).addingProduct(p, r)
  p = SIMD16(repeating: 8.333_451_9e-3).addingProduct(p, r)
  p = SIMD16(repeating: 4.166_579_6e-2).addingProduct(p, r)
  p = SIMD16(repeating: 1.666_666_55e-1).addingProduct(p, r)
  p = SIMD16(repeating: 0.5).addingProduct(p, r)
  p = (r + 1).addingProduct(p, r * r)
  let exponent = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &<< 23
  return unsafeBitCast(unsafeBitCast(p, to: SIMD16<Int32>.self) &+ exponent, to: SIMD16<Float>.self)
}

/// 1 / (1 + e^-x) in each lane.
@inline(__always)
func sigmoid(_ x: SIMD16<Float>) -> SIMD16<Float> { 1 / (1 + exponential(-x)) }

/// The larger of each pair of lanes.
@inline(__always)
func larger(_ a: SIMD16<Float>, _ b: SIMD16<Float>) -> SIMD16<Float> { a.replacing(with: b, where: b .> a) }

extension SIMD16<Float> {
  /// The largest lane, found in four rounds that halve the number of different lanes.
  @inline(__always)
  var largest: Float {
    var best = self
    for _ in 0..<4 {
      let (even, odd) = (best.evenHalf, best.oddHalf)
      best = larger(SIMD16(lowHalf: even, highHalf: even), SIMD16(lowHalf: odd, highHalf: odd))
    }
    return best[0]
  }
}

/// Sum of a_i * b_i over `count` elements.
@inline(__always)
func dot<A: MatrixElement, B: MatrixElement>(
  _ a: UnsafeMutablePointer<A>, _ b: UnsafeMutablePointer<B>, _ count: Int
) -> Float {
  var sum = SIMD16<Float>()
  for (i, lanes) in Vectors(count) { sum = sum.addingProduct(a.load(i, lanes), b.load(i, lanes)) }
  return sum.sum()
}

/// target += source, over `count` elements.
@inline(__always)
func add<Element: MatrixElement>(
  _ source: UnsafeMutablePointer<Element>, to target: UnsafeMutablePointer<Float>, _ count: Int
) {
  for (i, lanes) in Vectors(count) { target.store(target.load(i, lanes) + source.load(i, lanes), i, lanes) }
}

/// The largest of `count` elements, at least one.
@inline(__always)
func largestElement(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
  var best = SIMD16<Float>(repeating: x[0])
  for (i, lanes) in Vectors(count) {
    let v = x.load(i, lanes)
    best = larger(best, lanes == 16 ? v : v.replacing(with: x[0], where: beyond(lanes)))
  }
  return best.largest
}

/// The first `lanes` lanes; the others are zero.
@inline(__always)
func firstLanes(_ x: SIMD16<Float>, _ lanes: Int) -> SIMD16<Float> {
  x.replacing(with: 0, where: beyond(lanes))
}

/// A mask of the lanes from number `lanes`.
@inline(__always)
private func beyond(_ lanes: Int) -> SIMDMask<SIMD16<Int32>> {
  SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) .>= Int32(lanes)
}

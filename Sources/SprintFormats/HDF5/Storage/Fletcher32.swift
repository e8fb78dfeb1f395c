/// Returns the checksum of HDF5's Fletcher32 filter: two sums modulo 65535 over big-endian 16-bit words, the second sum
/// in the high half.
///
/// An odd last byte is the high half of a word.
func fletcher32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  let words = UnsafeRawBufferPointer(rebasing: bytes.dropLast(bytes.count % 2)).bindMemory(to: UInt16.self)
  var (first, second): (UInt64, UInt64) = (0, 0)
  for start in stride(from: 0, to: words.count, by: blockWords) {
    let count = min(blockWords, words.count - start)
    // Σ w and Σ (count - i) w of a block fit 32 bits, so the compiler can vectorise the loop.
    var (sum, weighted, weight): (UInt32, UInt32, UInt32) = (0, 0, UInt32(count))
    for word in UnsafeBufferPointer(rebasing: words[start..<start + count]) {
      let value = UInt32(word.byteSwapped)
      sum &+= value
      weighted &+= weight &* value
      weight &-= 1
    }
    second += UInt64(count) * first + UInt64(weighted)
    first += UInt64(sum)
    // Both stay far below 64 bits.
    if start & (1 << 20 - 1) == 0 { (first, second) = (UInt64(folded(first)), UInt64(folded(second))) }
  }
  if bytes.count % 2 == 1, let last = bytes.last {
    first += UInt64(last) << 8
    second += first
  }
  return folded(second) << 16 | folded(first)
}

private let blockWords = 256

/// Returns a sum modulo 65535. Like the library, which adds carries back, it maps a sum other than 0 to 1...65535.
private func folded(_ sum: UInt64) -> UInt32 { sum == 0 ? 0 : UInt32((sum - 1) % 65535 + 1) }

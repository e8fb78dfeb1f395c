import Foundation

/// One block of zeroed, page-aligned memory that views are cut from; it is freed with the last reference.
package final class Arena: @unchecked Sendable {
  /// All of the arena's floats.
  package let elements: Vector
  private var used = 0

  /// Reserves `count` floats, all zero.
  package init(count: Int) {
    // Anonymous pages arrive zeroed and are only backed by memory once touched.
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let address, address != MAP_FAILED else { preconditionFailure("no memory for \(bytes) bytes") }
    madvise(address, bytes, 14)  // MADV_HUGEPAGE: fewer TLB misses in the large products
    elements = Vector(address.bindMemory(to: Float.self, capacity: count), count: count)
  }

  deinit { munmap(elements.base, max(elements.count, 1) * MemoryLayout<Float>.stride) }

  /// Cuts the next `rows` x `columns` floats off the arena, on a cache line of their own.
  package func matrix(rows: Int, columns: Int) -> Matrix {
    let start = used
    used += Arena.aligned(rows * columns)
    precondition(used <= elements.count, "an arena was planned too small")
    return Matrix(elements.base + start, rows: rows, columns: columns)
  }

  /// Forgets what was cut: the same memory is cut anew, and holds what it held.
  package func reuse() { used = 0 }

  /// `count` rounded up to whole cache lines, as `matrix` reserves them.
  package static func aligned(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}

import Foundation

/// One block of zeroed, page-aligned floats from which views are cut. The memory is freed with the last reference to
/// the arena.
package final class Arena: @unchecked Sendable {
  /// All floats of the arena.
  package let elements: Vector<Float>
  private var used = 0

  /// Reserves `count` floats, all zero. Ends the process if the system refuses.
  package init(count: Int) {
    // The kernel zeroes anonymous pages, and backs them with memory only when they are touched.
    let (bytes, overflows) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    let address = overflows ? nil : mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let address, address != MAP_FAILED else {
      OutOfMemory.end(String(format: "the system refuses another %.3f GiB", 4 * Double(count) / 0x1p30))
    }
    madvise(address, bytes, 14)  // MADV_HUGEPAGE: fewer TLB misses in the large products
    elements = Vector(address.bindMemory(to: Float.self, capacity: count), count: count)
  }

  deinit { munmap(elements.base, max(elements.count, 1) * MemoryLayout<Float>.stride) }

  /// Cuts the next `rows` x `columns` elements off the arena, starting at a cache line of their own.
  package func matrix<Element: MatrixElement>(
    of _: Element.Type = Float.self, rows: Int, columns: Int
  ) -> Matrix<Element> {
    let start = used
    used += Arena.floats(for: Element.self, rows * columns)
    precondition(used <= elements.count, "the arena is smaller than the matrices cut from it")
    let memory = UnsafeMutableRawPointer(elements.base + start)
    return Matrix(
      memory.bindMemory(to: Element.self, capacity: rows * columns), rows: rows, columns: columns)
  }

  /// Starts to cut from the beginning again. The memory keeps what it holds.
  package func reuse() { used = 0 }

  /// Returns the floats that `matrix` takes for `count` elements: whole cache lines.
  package static func floats<Element: MatrixElement>(for _: Element.Type, _ count: Int) -> Int {
    let floatsOfElements = (count * MemoryLayout<Element>.stride + 3) / 4
    return aligned(floatsOfElements)
  }

  /// Returns `count` rounded up to whole cache lines.
  package static func aligned(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}

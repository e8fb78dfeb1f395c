import SprintKernels

/// A matrix with memory of its own, padded before and after with a row and a few floats that reveal writes outside.
package final class TestMatrix {
  private let arena: Arena
  package let view: Matrix
  private static let mark: Float = 12345.5

  package init(_ rows: Int, _ columns: Int, _ values: [Float]? = nil) {
    let guardCount = columns + 16
    arena = Arena(count: rows * columns + 2 * guardCount)
    for i in 0..<arena.elements.count { arena.elements[i] = TestMatrix.mark }
    view = Matrix(arena.elements.base + guardCount, rows: rows, columns: columns)
    view.clear()
    if let values { for i in values.indices { view.base[i] = values[i] } }
  }

  package var vector: Vector { view.flattened }

  /// Copies of the elements, in float64.
  package var doubles: [Double] { view.flattened.array.map(Double.init) }

  package var naive: NaiveMatrix { NaiveMatrix(rows: view.rows, columns: view.columns, doubles) }

  /// Whether the padding is untouched.
  package var isIntact: Bool {
    let guardCount = view.columns + 16
    return (0..<guardCount).allSatisfy {
      arena.elements[$0] == TestMatrix.mark && arena.elements[arena.elements.count - 1 - $0] == TestMatrix.mark
    }
  }
}

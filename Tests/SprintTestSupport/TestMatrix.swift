import SprintKernels

/// A matrix with memory of its own, padded before and after with a row and a few elements that reveal writes outside.
package final class GuardedMatrix<Element: MatrixElement> {
  private let arena: Arena
  private let all: Vector<Element>
  package let view: Matrix<Element>
  private static var mark: Element { Element(12345.5) }

  package init(_ rows: Int, _ columns: Int, _ values: [Float]? = nil) {
    let guardCount = columns + 16
    let count = rows * columns + 2 * guardCount
    arena = Arena(count: Arena.floats(for: Element.self, count))
    all = arena.matrix(of: Element.self, rows: 1, columns: count).flattened
    for i in 0..<count { all[i] = Self.mark }
    view = Matrix(all.base + guardCount, rows: rows, columns: columns)
    view.clear()
    if let values { for i in values.indices { view.base[i] = Element(values[i]) } }
  }

  package var vector: Vector<Element> { view.flattened }

  /// Copies of the elements.
  package var floats: [Float] { view.flattened.array.map(\.float) }

  /// Copies of the elements, in float64.
  package var doubles: [Double] { floats.map(Double.init) }

  package var naive: NaiveMatrix { NaiveMatrix(rows: view.rows, columns: view.columns, doubles) }

  /// The same numbers in float32.
  package var widened: TestMatrix { TestMatrix(view.rows, view.columns, floats) }

  /// The same numbers, rounded to bfloat16.
  package var rounded: GuardedMatrix<BFloat16> { GuardedMatrix<BFloat16>(view.rows, view.columns, floats) }

  /// Whether the padding is untouched.
  package var isIntact: Bool {
    let guardCount = view.columns + 16
    return (0..<guardCount).allSatisfy {
      all[$0].float == Self.mark.float && all[all.count - 1 - $0].float == Self.mark.float
    }
  }
}

package typealias TestMatrix = GuardedMatrix<Float>
package typealias RoundedMatrix = GuardedMatrix<BFloat16>

import SprintKernels

/// Cuts the matrices of a plan from an arena, or only counts what they need.
final class MatrixCutter {
  private let arena: Arena?
  /// The floats of all matrices so far; a double, as it may be too large for an `Int`.
  private(set) var floats = 0.0

  /// - Parameter arena: nil counts, and makes matrices that nothing may read
  init(_ arena: Arena?) { self.arena = arena }

  /// Returns a matrix of `rows` x `columns` elements.
  func callAsFunction<Element: MatrixElement>(_ rows: Int, _ columns: Int) -> Matrix<Element> {
    let perLine = Double(64 / MemoryLayout<Element>.stride)
    floats += (Double(rows) * Double(columns) / perLine).rounded(.up) * 16
    if let arena { return arena.matrix(of: Element.self, rows: rows, columns: columns) }
    return Matrix(
      UnsafeMutableRawPointer(Self.nowhere).assumingMemoryBound(to: Element.self), rows: rows, columns: columns)
  }

  /// The address of matrices that are only counted.
  private nonisolated(unsafe) static let nowhere = UnsafeMutablePointer<Float>.allocate(capacity: 1)
}

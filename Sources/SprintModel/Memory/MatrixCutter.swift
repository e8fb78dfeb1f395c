import SprintKernels

/// Cuts the matrices of a plan from an arena, or only counts what they need.
final class MatrixCutter {
  private let arena: Arena?
  private let gradients: Vector<Float>?
  /// What is free of the gradients, if activations may lie there.
  private var room: GradientRoom?
  /// The floats of all matrices so far; a double, as it may be too large for an `Int`.
  private(set) var floats = 0.0

  /// - Parameters:
  ///   - arena: nil counts, and makes matrices that nothing may read
  ///   - room: all gradients, if activations may lie there
  ///   - gradients: their memory
  init(_ arena: Arena?, room: GradientRoom?, gradients: Vector<Float>? = nil) {
    (self.arena, self.room, self.gradients) = (arena, room, gradients)
  }

  /// Returns a matrix of `rows` x `columns` elements. An activation of a block may lie among gradients that
  /// are computed after the block's backward pass.
  func callAsFunction<Element: MatrixElement>(
    _ rows: Int, _ columns: Int, ofBlock block: Int? = nil
  ) -> Matrix<Element> {
    let perLine = Double(64 / MemoryLayout<Element>.stride)
    let needed = (Double(rows) * Double(columns) / perLine).rounded(.up) * 16
    if let block, let count = Int(exactly: needed), let place = room?.take(count, of: block) {
      guard let gradients else { return Self.counted(rows, columns) }
      return gradients[place..<place + count].viewed(as: Element.self)[0..<rows * columns].matrix(columns: columns)
    }
    floats += needed
    if let arena { return arena.matrix(of: Element.self, rows: rows, columns: columns) }
    return Self.counted(rows, columns)
  }

  private static func counted<Element: MatrixElement>(_ rows: Int, _ columns: Int) -> Matrix<Element> {
    Matrix(
      UnsafeMutableRawPointer(nowhere).assumingMemoryBound(to: Element.self), rows: rows, columns: columns)
  }

  /// The address of matrices that are only counted.
  private nonisolated(unsafe) static let nowhere = UnsafeMutablePointer<Float>.allocate(capacity: 1)
}

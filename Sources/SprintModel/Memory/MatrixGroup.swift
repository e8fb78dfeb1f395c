import SprintKernels

/// The name of a matrix in a group: the list of its cases is the only list of the group's matrices.
protocol MatrixName: CaseIterable, RawRepresentable<Int>, Sendable {
  /// The number of columns of this matrix.
  func columns(_ configuration: ModelConfiguration) -> Int
}

/// Matrices of one format with the same number of rows, cut and sliced together. Slicing and copying a group allocate
/// nothing.
struct MatrixGroup<Name: MatrixName, Element: MatrixElement>: Sendable {
  /// One for each name, in the order of the names.
  private let matrices: [Matrix<Element>]
  private let range: Range<Int>

  /// Cuts every matrix of the group.
  ///
  /// - Parameter block: the block whose backward pass is the last to read the group
  init(rows: Int, _ configuration: ModelConfiguration, _ cut: MatrixCutter, ofBlock block: Int? = nil) {
    matrices = Name.allCases.map { cut(rows, $0.columns(configuration), ofBlock: block) }
    range = 0..<rows
  }

  private init(_ matrices: [Matrix<Element>], _ range: Range<Int>) { (self.matrices, self.range) = (matrices, range) }

  /// The matrix called `name`.
  subscript(name: Name) -> Matrix<Element> { matrices[name.rawValue].rows(range) }

  /// A view of rows `part`.
  func rows(_ part: Range<Int>) -> MatrixGroup {
    precondition(part.lowerBound >= 0 && part.upperBound <= range.count, "rows \(part) of \(range.count)")
    return MatrixGroup(matrices, range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
  }
}

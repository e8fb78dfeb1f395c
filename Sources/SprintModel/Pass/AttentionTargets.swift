import SprintKernels

/// A teacher's attention for the samples of a pass.
package struct AttentionTargets: Sendable {
  /// [B, layout.count]
  package let values: Matrix<Float>
  /// The places within a row.
  package let layout: AttentionLayout

  /// Makes targets of B samples.
  package init(_ values: Matrix<Float>, _ layout: AttentionLayout) {
    precondition(values.columns == layout.count, "\(values.columns) numbers of a sample, expected \(layout.count)")
    (self.values, self.layout) = (values, layout)
  }
}

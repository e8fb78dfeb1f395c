import SprintKernels

/// The part of a teacher's attention that training batches need.
package struct AttentionRequest: Sendable {
  /// The places of a sample's numbers.
  package let layout: AttentionLayout
  /// For each of the teacher's layers whether it is compared among the kept tokens alone.
  package let isKept: [Bool]
  /// M, the kept tokens of a sample.
  package let kept: Int
  /// Writes the M ids of the tokens that a draw keeps.
  package let findKept: @Sendable (_ draw: UInt64, _ ids: UnsafeMutableBufferPointer<Int32>) -> Void

  /// Makes a request; `isKept` has one entry for each layer of `layout`.
  package init(
    _ layout: AttentionLayout, isKept: [Bool], kept: Int,
    findKept: @escaping @Sendable (_ draw: UInt64, _ ids: UnsafeMutableBufferPointer<Int32>) -> Void
  ) {
    precondition(isKept.count == layout.tokens.count, "\(isKept.count) entries for \(layout.tokens.count) layers")
    (self.layout, self.isKept, self.kept, self.findKept) = (layout, isKept, kept, findKept)
  }
}

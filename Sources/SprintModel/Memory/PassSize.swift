import SprintKernels

/// The largest pass that a memory is planned for.
package struct PassSize: Sendable {
  /// What the backward pass computes again instead of keeping it.
  package enum Recompute: String, Sendable, CaseIterable {
    /// Nothing but norms, activation functions and attention's probabilities.
    case none
    /// All of every block: a third more work for a fraction of the memory.
    case blocks
  }

  /// The largest number of samples.
  package var batch: Int
  /// The largest number of tokens of a sample in the middle, or nil for all tokens.
  package var kept: Int?
  /// Whether there are backward passes.
  package var isTraining: Bool
  /// What backward passes compute again.
  package var recompute: Recompute
  /// The format of the products' operands and of what is kept for the backward pass.
  package var precision: Precision
  /// Whether activations lie in the memory of gradients that are computed later; passes then cannot add to gradients.
  package var sharesGradients: Bool

  /// Makes a size for passes over at most `batch` samples.
  package init(
    batch: Int, kept: Int? = nil, training: Bool, recompute: Recompute = .none, precision: Precision = .float32,
    sharesGradients: Bool = false
  ) {
    (self.batch, self.kept, isTraining, self.recompute) = (batch, kept, training, recompute)
    (self.precision, self.sharesGradients) = (precision, sharesGradients)
  }

  var retention: Retention { isTraining ? recompute == .blocks ? .inputs : .everything : .nothing }
}

/// What is kept of a forward pass.
enum Retention {
  /// Everything that the backward pass needs.
  case everything
  /// The input of every block; the backward pass computes the rest again. arXiv 1604.06174.
  case inputs
  /// Nothing: there is no backward pass.
  case nothing
}

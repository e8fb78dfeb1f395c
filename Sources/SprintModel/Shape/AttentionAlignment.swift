import SprintKernels

/// The blocks whose attention is compared with that of a teacher. HASTE, arXiv 2505.16792.
package struct AttentionAlignment: Sendable, Equatable {
  /// The block of each of the teacher's layers, counted from zero through encoder, middle and decoder; in any order.
  package var blocks: [Int]
  /// The heads that are compared one to one, the first ones of both.
  package var heads: Int

  /// Compares `heads` heads of `blocks`.
  package init(blocks: [Int], heads: Int) { (self.blocks, self.heads) = (blocks, heads) }

  /// The teacher's layer of a block, or nil if the block has none.
  func layer(ofBlock block: Int) -> Int? { blocks.firstIndex(of: block) }
}

extension AttentionAlignment {
  /// The first problem of the alignment in a network as (key, message), or nil.
  func problem(of model: ModelConfiguration) -> (key: String, message: String)? {
    guard !blocks.isEmpty, Set(blocks).count == blocks.count, blocks.allSatisfy({ 0..<model.blocks ~= $0 }) else {
      return ("blocks", "has to be different blocks; the model has \(model.blocks), counted from 1")
    }
    guard model.classToken == nil else {
      return (
        "blocks", "name attention to align; that of a network with a class token has no counterpart in the teacher"
      )
    }
    guard 1...model.heads ~= heads else {
      return ("heads", "is \(heads), expected 1 to \(model.heads), the heads of the model")
    }
    return nil
  }
}

extension ModelConfiguration {
  /// The places of a teacher's attention for one sample.
  ///
  /// - Parameter kept: M, the tokens of a sample in the middle
  package func attentionLayout(kept: Int) -> AttentionLayout? {
    attentionAlignment.map { alignment in
      AttentionLayout(
        heads: alignment.heads, tokens: alignment.blocks.map { section(of: $0) == .middle ? kept : tokens })
    }
  }
}

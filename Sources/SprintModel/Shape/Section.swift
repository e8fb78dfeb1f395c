/// One of the three sections of the network, from its input to its output.
package enum Section: String, Sendable {
  /// Blocks before the drop, on all tokens.
  case encoder
  /// Blocks on the kept tokens.
  case middle
  /// Blocks after the fusion, on all tokens.
  case decoder
}

extension ModelConfiguration {
  /// The numbers of a section's blocks; blocks are numbered from zero through all sections.
  package func blocks(of section: Section) -> Range<Int> {
    switch section {
    case .encoder: 0..<encoderDepth
    case .middle: encoderDepth..<encoderDepth + middleDepth
    case .decoder: encoderDepth + middleDepth..<blocks
    }
  }

  /// The section of block `block`.
  package func section(of block: Int) -> Section {
    block < encoderDepth ? .encoder : block < encoderDepth + middleDepth ? .middle : .decoder
  }

  /// The published name of block `block`, e.g. `middle_blocks.3`.
  package func name(ofBlock block: Int) -> String {
    "\(section(of: block).rawValue)_blocks.\(index(ofBlock: block))"
  }

  /// The blocks that mix the first block's values into their own.
  package var blocksThatMixValues: Range<Int> { mixesValues ? 1..<max(1, blocks) : 0..<0 }

  /// The published name of the share of the first block's values in those of block `block`.
  func valueShareName(ofBlock block: Int) -> String { "\(name(ofBlock: block)).attn.v1_lambda" }

  /// The place of block `block` within its section.
  func index(ofBlock block: Int) -> Int { block - blocks(of: section(of: block)).lowerBound }
}

import SprintKernels

/// The gradients of a training step as room for activations: a backward pass reads what a block has kept before it
/// computes the gradients of the blocks in front of that block. Cuts the room from the last block to the first.
struct GradientRoom {
  private let layout: ParameterLayout
  /// What is free of the gradients of the blocks, and of those of their modulation: the two long stretches of the
  /// arena.
  private var free: [Range<Int>]

  init(_ layout: ParameterLayout) {
    self.layout = layout
    let modulations = layout.range(ofModulations: "weight")
    free = [0..<modulations.lowerBound, modulations]
  }

  /// Takes room for `count` floats that are read for the last time in the backward pass of a block. Returns its place
  /// in the arena, or nil if there is too little left.
  mutating func take(_ count: Int, of block: Int) -> Int? {
    let ends = [layout.range(ofBlock: block), layout.range(ofModulationOfBlock: block)].map(\.upperBound)
    // Room in front of a block's gradients is of no use to the next block: the stretch that has most of it comes first.
    let order = free.indices.sorted { free[$0].lowerBound - ends[$0] < free[$1].lowerBound - ends[$1] }
    for i in order {
      let start = Arena.aligned(max(free[i].lowerBound, ends[i]))
      guard count <= free[i].upperBound - start else { continue }
      free[i] = start + count..<free[i].upperBound
      return start
    }
    return nil
  }
}

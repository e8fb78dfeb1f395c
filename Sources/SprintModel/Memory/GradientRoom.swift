import SprintKernels

/// The gradients of a training step as room for activations: a backward pass reads what a block has kept before it
/// computes the gradients of the blocks in front of that block. Cuts the room from the last block to the first.
struct GradientRoom {
  private let layout: ParameterLayout
  /// What is free of the gradients of the blocks, and of those of their modulation: the two long stretches of the
  /// arena.
  private var blocks, modulations: Range<Int>

  init(_ layout: ParameterLayout) {
    self.layout = layout
    let names = layout.modulations.map { "\($0.name).weight" }
    let first = layout.range(names[0]).lowerBound
    (blocks, modulations) = (0..<first, first..<layout.range(names[names.count - 1]).upperBound)
  }

  /// Takes room for `count` floats that are read for the last time in the backward pass of a block. Returns its place
  /// in the arena, or nil if there is too little left.
  mutating func take(_ count: Int, of block: Int) -> Int? {
    let modulation = layout.range("\(layout.name(ofBlock: block)).adaLN_modulation.1.weight")
    return Self.take(count, from: &blocks, after: layout.range(ofBlock: block).upperBound)
      ?? Self.take(count, from: &modulations, after: modulation.upperBound)
  }

  private static func take(_ count: Int, from free: inout Range<Int>, after end: Int) -> Int? {
    let start = Arena.aligned(max(free.lowerBound, end))
    guard count <= free.upperBound - start else { return nil }
    free = start + count..<free.upperBound
    return start
  }
}

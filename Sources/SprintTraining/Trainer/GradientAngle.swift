import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel

/// The angle between the gradients of the denoising loss and of the alignment at one block: the gradients of all of its
/// weights as one vector each, summed over batches, before clipping. HASTE, arXiv 2505.16792.
package final class GradientAngle {
  private let places: [Range<Int>]
  private let denoising, alignment: Vector<Float>
  private let arena: Arena

  /// Makes an angle of block `block`, without any batch.
  package init(_ layout: ParameterLayout, block: Int) {
    places = layout.places(ofBlock: block)
    let count = GradientAngle.count(layout, block: block)
    arena = Arena(count: 2 * Arena.aligned(count))
    (denoising, alignment) = (
      arena.matrix(rows: 1, columns: count).flattened, arena.matrix(rows: 1, columns: count).flattened
    )
  }

  /// The weights of block `block`.
  static func count(_ layout: ParameterLayout, block: Int) -> Int {
    layout.places(ofBlock: block).reduce(0) { $0 + $1.count }
  }

  /// Adds the gradients of a batch, times `factor`, in two passes that change `gradients`.
  package func add(
    _ objective: FlowMatching, _ weights: any NetworkWeights, _ batch: TrainingBatch, _ factors: LossWeights,
    factor: Double = 1, gradients: ParameterArena<Float>
  ) {
    var untaught = batch
    (untaught.teacher, untaught.attention) = (nil, nil)
    var denoising = factors
    (denoising.alignment, denoising.attention) = (0, 0)
    _ = objective.lossesAndGradients(weights, untaught, denoising, factor: factor, gradients: gradients)
    add(gradients, to: self.denoising)
    let alignment = LossWeights(denoising: 0, alignment: factors.alignment, attention: factors.attention)
    _ = objective.lossesAndGradients(weights, batch, alignment, factor: factor, gradients: gradients)
    add(gradients, to: self.alignment)
  }

  private func add(_ gradients: ParameterArena<Float>, to sum: Vector<Float>) {
    var start = 0
    for place in places {
      sum[start..<start + place.count].add(gradients.elements[place])
      start += place.count
    }
  }

  /// Returns the cosine of the angle between the sums of all ranks, or 0 where one of them is zero, and forgets all
  /// batches. All ranks call it and get the same number.
  package func cosine(_ communicator: Communicator) throws -> Double {
    let plan = BucketPlan(count: denoising.count, ranks: communicator.size)
    for sum in [denoising, alignment] {
      let reduction = GradientReduction(communicator, sum, plan, isSharded: true, wire: .float32)
      reduction.markFinal(0..<sum.count)
      try reduction.wait()
    }
    let own = plan.shards(ofRank: communicator.rank)
    let pairs = [(denoising, alignment), (denoising, denoising), (alignment, alignment)]
    let products = try communicator.sum(
      pairs.map { pair in own.reduce(0) { $0 + sumOfProducts(pair.0[$1], pair.1[$1]) } })
    arena.elements.clear()
    let lengths = (products[1] * products[2]).squareRoot()
    return lengths > 0 ? products[0] / lengths : 0
  }
}

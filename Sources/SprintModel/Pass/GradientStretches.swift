import SprintKernels

/// The stretches of the gradient arena in the order in which a backward pass computes them, which is the order of the
/// layout. Together the stretches cover the arena.
struct GradientStretches {
  let layout: ParameterLayout
  let configuration: ModelConfiguration
  /// Called with each stretch before its gradients are computed, and after that.
  let begin, finish: (Range<Int>) -> Void

  func outputLayer(_ compute: () -> Void) {
    over([layout.outputLayer] + layout.modulation(of: "final_layer"), compute)
  }

  func block(_ block: Int, _ compute: () -> Void) {
    over(layout.places(ofBlock: block), compute)
  }

  func projector(_ compute: () -> Void) {
    over(layout.projector.map { [$0] } ?? [], compute)
  }

  /// The fusion layer, if there is one, and the mask token.
  func fusion(_ compute: () -> Void) { over([stretch(from: "renoise_linear.weight", through: "mask_token")], compute) }

  /// The layers that make tokens.
  func inputLayer(_ compute: () -> Void) {
    over([layout.inputLayer], compute)
  }

  /// The embeddings of time and class, and the shares of the first block's values.
  func embeddings(_ compute: () -> Void) {
    over([layout.range("t_embedder.mlp.0.weight").lowerBound..<layout.count], compute)
  }

  private func over(_ stretches: [Range<Int>], _ compute: () -> Void) {
    stretches.forEach(begin)
    compute()
    stretches.forEach(finish)
  }

  /// The stretch to the end of parameter `last`, from parameter `first` if the network has that.
  private func stretch(from first: String, through last: String) -> Range<Int> {
    let end = layout.range(last)
    return (layout.parameter(first)?.range ?? end).lowerBound..<end.upperBound
  }
}

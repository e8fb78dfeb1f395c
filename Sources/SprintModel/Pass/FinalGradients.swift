/// Reports the stretches of the gradient arena that a backward pass has finished, in the order of the layout. Together
/// the stretches cover the arena.
struct FinalGradients {
  let layout: ParameterLayout
  let configuration: ModelConfiguration
  let report: (Range<Int>) -> Void

  func outputLayer() {
    report(stretch(from: "final_layer.linear.weight", through: "final_layer.linear.bias"))
    modulation(of: "final_layer")
  }

  func block(_ block: Int) {
    report(layout.range(ofBlock: block))
    modulation(of: configuration.name(ofBlock: block))
  }

  func projector() { report(stretch(from: "projectors.0.weight", through: "projectors.4.bias")) }

  /// The fusion layer, if there is one, and the mask token.
  func fusion() { report(stretch(from: "renoise_linear.weight", through: "mask_token")) }

  func inputLayer() { report(stretch(from: "x_embedder.proj.weight", through: "x_embedder.proj.bias")) }

  /// The embeddings of time and class.
  func embeddings() { report(layout.range("t_embedder.mlp.0.weight").lowerBound..<layout.count) }

  /// The modulation weights of one layer lie with those of all others, far from the rest of the layer.
  private func modulation(of owner: String) {
    for part in ["weight", "bias"] { report(layout.range("\(owner).adaLN_modulation.1.\(part)")) }
  }

  /// The stretch to the end of parameter `last`, from parameter `first` if the network has that.
  private func stretch(from first: String, through last: String) -> Range<Int> {
    let end = layout.range(last)
    return (layout.parameter(first)?.range ?? end).lowerBound..<end.upperBound
  }
}

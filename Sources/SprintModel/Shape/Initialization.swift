import SprintKernels

extension ParameterLayout {
  /// Writes the published initial weights: Xavier-uniform linear layers; zero biases, modulations and output layer;
  /// unit norms; embeddings and mask token from a normal distribution of deviation 0.02, if the latter does not start
  /// at zero; half of the first block's values. DiT, arXiv 2212.09748.
  package func initialize(_ weights: Vector<Float>, seed: UInt64) {
    let random = Philox(seed: seed, purpose: .initialization)
    for (index, parameter) in parameters.enumerated() {
      let values = weights[parameter.range]
      let buffer = values.buffer
      switch initialization(of: parameter) {
      case .constant(let value): buffer.update(repeating: value)
      case .normal(let deviation):
        random.fillNormal(buffer, draw: UInt64(index))
        for i in buffer.indices { buffer[i] *= deviation }
      case .uniform(let bound):
        random.fillUniform(buffer, draw: UInt64(index))
        for i in buffer.indices { buffer[i] = (2 * buffer[i] - 1) * bound }
      }
    }
  }

  private enum Distribution {
    case constant(Float), normal(Float), uniform(Float)
  }

  private func initialization(of parameter: Parameter) -> Distribution {
    let name = parameter.name
    if name.hasSuffix("v1_lambda") { return .constant(0.5) }
    if name.hasSuffix("norm.weight") { return .constant(1) }
    if name.hasSuffix(".bias") || name.contains("adaLN_modulation") || name.hasPrefix("final_layer") {
      return .constant(0)
    }
    if name == "mask_token", configuration.startsMaskTokenAtZero { return .constant(0) }
    if name == "mask_token" || name.hasPrefix("t_embedder") || name.hasPrefix("y_embedder") { return .normal(0.02) }
    return .uniform((6 / Float(parameter.shape[0] + parameter.shape[1])).squareRoot())
  }
}

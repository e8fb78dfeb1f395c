import Foundation
import SprintModel

/// The forward pass of the whole network in float64, sample by sample, straight from the published description.
package struct NaiveNetwork {
  let configuration: ModelConfiguration
  package var parameters: [String: [Double]]

  package init(_ configuration: ModelConfiguration, _ parameters: [String: [Double]]) {
    (self.configuration, self.parameters) = (configuration, parameters)
  }

  /// Returns the velocity of one sample, and the projected features if the model has a projector.
  ///
  /// - Parameter onAttention: called with the logarithm of each head's attention in every block
  package func velocity(
    _ latent: [Double], time: Double, label: Int, kept: [Int]?, isDropped: Bool,
    onAttention: (_ block: Int, _ head: Int, _ log: NaiveMatrix) -> Void = { _, _, _ in }
  ) -> (velocity: [Double], features: NaiveMatrix?) {
    let condition = condition(time, label)
    var x = linear("x_embedder.proj", patches(latent))
    let all = Array(0..<configuration.tokens)
    var features: NaiveMatrix?
    func run(_ section: Section, _ positions: [Int]) {
      for block in configuration.blocks(of: section) {
        x = self.block(configuration.name(ofBlock: block), x, condition, positions) { onAttention(block, $0, $1) }
        if configuration.projector?.afterBlock == block + 1 { features = project(x) }
      }
    }
    run(.encoder, all)
    let shallow = x
    let positions = kept ?? all
    x = NaiveMatrix(rows: positions.count, columns: configuration.width) { shallow[positions[$0], $1] }
    run(.middle, positions)
    let mask = parameters["mask_token"] ?? []
    let middle = x
    let deep = NaiveMatrix(rows: configuration.tokens, columns: configuration.width) { token, column in
      guard !isDropped, let place = positions.firstIndex(of: token) else { return mask[column] }
      return middle[place, column]
    }
    let joined = NaiveMatrix(rows: configuration.tokens, columns: 2 * configuration.width) {
      $1 < configuration.width ? deep[$0, $1] : shallow[$0, $1 - configuration.width]
    }
    x = configuration.fusion == .concatLinear ? linear("renoise_linear", joined) : deep
    run(.decoder, all)
    let modulation = linear("final_layer.adaLN_modulation.1", condition.map(Naive.silu)).row(0)
    let normalized = Naive.modulatedLayerNorm(
      x, shift: Array(modulation[0..<configuration.width]), scale: Array(modulation[configuration.width...]))
    return (unpatched(linear("final_layer.linear", normalized)), features)
  }

  private func condition(_ time: Double, _ label: Int) -> NaiveMatrix {
    let frequencies = (0..<128).map { exp(-log(10000) * Double($0) / 128) }
    let features = frequencies.map { cos(time * $0) } + frequencies.map { sin(time * $0) }
    let hidden = linear("t_embedder.mlp.0", NaiveMatrix(rows: 1, columns: 256, features)).map(Naive.silu)
    let table = parameters["y_embedder.embedding_table.weight"] ?? []
    let row = Array(table[label * configuration.width..<(label + 1) * configuration.width])
    return linear("t_embedder.mlp.2", hidden) + NaiveMatrix(rows: 1, columns: configuration.width, row)
  }

  private func block(
    _ name: String, _ x: NaiveMatrix, _ condition: NaiveMatrix, _ positions: [Int],
    onAttention: (_ head: Int, _ log: NaiveMatrix) -> Void
  ) -> NaiveMatrix {
    let width = configuration.width
    let modulation = linear("\(name).adaLN_modulation.1", condition.map(Naive.silu)).row(0)
    // shift, scale and gate of attention, then of the feed-forward layer
    let parts = (0..<6).map { Array(modulation[$0 * width..<($0 + 1) * width]) }
    let qkv = linear("\(name).attn.qkv", Naive.modulatedLayerNorm(x, shift: parts[0], scale: parts[1]))
    let heads = (0..<configuration.heads).map { head -> NaiveMatrix in
      func slice(_ which: Int) -> NaiveMatrix {
        let start = which * width + head * configuration.headWidth
        return qkv.columns(start..<start + configuration.headWidth)
      }
      func prepared(_ which: Int, _ norm: String) -> NaiveMatrix {
        Naive.rotate(
          Naive.rmsNorm(slice(which), weight: parameters["\(name).attn.\(norm).weight"] ?? []),
          grid: configuration.grid,
          positions: positions, theta: configuration.ropeTheta)
      }
      let (query, key) = (prepared(0, "q_norm"), prepared(1, "k_norm"))
      onAttention(head, Naive.logAttention(query, key))
      return Naive.attention(query, key, slice(2))
    }
    let attended = NaiveMatrix(rows: x.rows, columns: width) {
      heads[$1 / configuration.headWidth][$0, $1 % configuration.headWidth]
    }
    let between = Naive.gatedResidual(x, linear("\(name).attn.proj", attended), gate: parts[2])
    let hidden = linear("\(name).mlp.fc1", Naive.modulatedLayerNorm(between, shift: parts[3], scale: parts[4]))
    return Naive.gatedResidual(between, linear("\(name).mlp.fc2", hidden.map(Naive.gelu)), gate: parts[5])
  }

  private func project(_ x: NaiveMatrix) -> NaiveMatrix {
    linear("projectors.4", linear("projectors.2", linear("projectors.0", x).map(Naive.silu)).map(Naive.silu))
  }

  private func linear(_ name: String, _ x: NaiveMatrix) -> NaiveMatrix {
    let bias = parameters["\(name).bias"] ?? []
    let weight = NaiveMatrix(rows: bias.count, columns: x.columns, parameters["\(name).weight"] ?? [])
    return Naive.linear(x, weight, bias)
  }

  private func patches(_ latent: [Double]) -> NaiveMatrix {
    NaiveMatrix(rows: configuration.tokens, columns: configuration.patchElements) { latent[element($0, $1)] }
  }

  private func unpatched(_ patches: NaiveMatrix) -> [Double] {
    var latent = [Double](repeating: 0, count: configuration.latentElements)
    for token in 0..<configuration.tokens {
      for column in 0..<configuration.patchElements { latent[element(token, column)] = patches[token, column] }
    }
    return latent
  }

  private func element(_ token: Int, _ column: Int) -> Int {
    let (channel, inside) = (
      column / (configuration.patch * configuration.patch), column % (configuration.patch * configuration.patch)
    )
    let (y, x) = (
      token / configuration.grid * configuration.patch + inside / configuration.patch,
      token % configuration.grid * configuration.patch + inside % configuration.patch
    )
    return (channel * configuration.side + y) * configuration.side + x
  }
}

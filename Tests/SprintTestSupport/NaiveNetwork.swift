import Foundation
import SprintModel

/// The whole network in float64, sample by sample, straight from the published statement; forward only.
package struct NaiveNetwork {
  let c: ModelConfiguration
  package var parameters: [String: [Double]]

  package init(_ configuration: ModelConfiguration, _ parameters: [String: [Double]]) {
    (c, self.parameters) = (configuration, parameters)
  }

  /// The velocity of one sample, and the projected features where the model has a projector.
  package func velocity(
    _ latent: [Double], time: Double, label: Int, kept: [Int]?, isDropped: Bool
  ) -> (velocity: [Double], features: NaiveMatrix?) {
    let condition = condition(time, label)
    var x = linear("x_embedder.proj", patches(latent))
    let all = Array(0..<c.tokens)
    var features: NaiveMatrix?
    func run(_ section: Section, _ positions: [Int]) {
      for block in c.blocks(of: section) {
        x = self.block(c.name(ofBlock: block), x, condition, positions)
        if c.projector?.afterBlock == block + 1 { features = project(x) }
      }
    }
    run(.encoder, all)
    let shallow = x
    let positions = kept ?? all
    x = NaiveMatrix(rows: positions.count, columns: c.width) { shallow[positions[$0], $1] }
    run(.middle, positions)
    let mask = parameters["mask_token"] ?? []
    let middle = x
    let deep = NaiveMatrix(rows: c.tokens, columns: c.width) { token, column in
      guard !isDropped, let place = positions.firstIndex(of: token) else { return mask[column] }
      return middle[place, column]
    }
    let joined = NaiveMatrix(rows: c.tokens, columns: 2 * c.width) {
      $1 < c.width ? deep[$0, $1] : shallow[$0, $1 - c.width]
    }
    x = c.fusion == .concatLinear ? linear("renoise_linear", joined) : deep
    run(.decoder, all)
    let modulation = linear("final_layer.adaLN_modulation.1", condition.map(Naive.silu)).row(0)
    let normalized = Naive.modulatedLayerNorm(
      x, shift: Array(modulation[0..<c.width]), scale: Array(modulation[c.width...]))
    return (unpatched(linear("final_layer.linear", normalized)), features)
  }

  private func condition(_ time: Double, _ label: Int) -> NaiveMatrix {
    let frequencies = (0..<128).map { exp(-log(10000) * Double($0) / 128) }
    let features = frequencies.map { cos(time * $0) } + frequencies.map { sin(time * $0) }
    let hidden = linear("t_embedder.mlp.0", NaiveMatrix(rows: 1, columns: 256, features)).map(Naive.silu)
    let table = parameters["y_embedder.embedding_table.weight"] ?? []
    let row = Array(table[label * c.width..<(label + 1) * c.width])
    return linear("t_embedder.mlp.2", hidden) + NaiveMatrix(rows: 1, columns: c.width, row)
  }

  private func block(_ name: String, _ x: NaiveMatrix, _ condition: NaiveMatrix, _ positions: [Int]) -> NaiveMatrix {
    let d = c.width
    let modulation = linear("\(name).adaLN_modulation.1", condition.map(Naive.silu)).row(0)
    func part(_ i: Int) -> [Double] { Array(modulation[i * d..<(i + 1) * d]) }
    let qkv = linear("\(name).attn.qkv", Naive.modulatedLayerNorm(x, shift: part(0), scale: part(1)))
    let heads = (0..<c.heads).map { head -> NaiveMatrix in
      func slice(_ which: Int) -> NaiveMatrix {
        qkv.columns(which * d + head * c.headWidth..<which * d + (head + 1) * c.headWidth)
      }
      func prepared(_ which: Int, _ norm: String) -> NaiveMatrix {
        Naive.rotate(
          Naive.rmsNorm(slice(which), weight: parameters["\(name).attn.\(norm).weight"] ?? []), grid: c.grid,
          positions: positions, theta: c.ropeTheta)
      }
      return Naive.attention(prepared(0, "q_norm"), prepared(1, "k_norm"), slice(2))
    }
    let attended = NaiveMatrix(rows: x.rows, columns: d) { heads[$1 / c.headWidth][$0, $1 % c.headWidth] }
    let between = Naive.gatedResidual(x, linear("\(name).attn.proj", attended), gate: part(2))
    let hidden = linear("\(name).mlp.fc1", Naive.modulatedLayerNorm(between, shift: part(3), scale: part(4)))
    return Naive.gatedResidual(between, linear("\(name).mlp.fc2", hidden.map(Naive.gelu)), gate: part(5))
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
    NaiveMatrix(rows: c.tokens, columns: c.patchElements) { latent[element($0, $1)] }
  }

  private func unpatched(_ patches: NaiveMatrix) -> [Double] {
    var latent = [Double](repeating: 0, count: c.latentElements)
    for token in 0..<c.tokens {
      for column in 0..<c.patchElements { latent[element(token, column)] = patches[token, column] }
    }
    return latent
  }

  private func element(_ token: Int, _ column: Int) -> Int {
    let (channel, inside) = (column / (c.patch * c.patch), column % (c.patch * c.patch))
    let (y, x) = (token / c.grid * c.patch + inside / c.patch, token % c.grid * c.patch + inside % c.patch)
    return (channel * c.side + y) * c.side + x
  }
}

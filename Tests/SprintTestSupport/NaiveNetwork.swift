import Foundation
import SprintModel

/// The forward pass of the whole network in float64, sample by sample, straight from the published description.
package struct NaiveNetwork {
  let configuration: ModelConfiguration
  package var parameters: [String: [Double]]

  package init(_ configuration: ModelConfiguration, _ parameters: [String: [Double]]) {
    (self.configuration, self.parameters) = (configuration, parameters)
  }

  /// What the network says about one sample.
  package struct Result {
    package var velocity: [Double]
    /// The velocity of the class token, if the model has one.
    package var classVelocity: [Double]
    /// The projected features, if the model has a projector.
    package var features: NaiveMatrix?
  }

  /// Returns what the network says about one sample.
  ///
  /// - Parameter onAttention: called with the logarithm of each head's attention in every block
  package func velocity(
    _ latent: [Double], classToken: [Double] = [], time: Double, label: Int, kept: [Int]?, isDropped: Bool,
    onAttention: (_ block: Int, _ head: Int, _ log: NaiveMatrix) -> Void = { _, _, _ in }
  ) -> Result {
    let condition = condition(time, label)
    var x = tokens(latent, classToken)
    let all = Array(0..<configuration.tokens)
    var features: NaiveMatrix?
    // [N, D] the values of the first block
    var first: NaiveMatrix?
    func run(_ section: Section, _ positions: [Int]) {
      for block in configuration.blocks(of: section) {
        let early = first.map { values in
          NaiveMatrix(rows: positions.count, columns: values.columns) { values[positions[$0], $1] }
        }
        let name = configuration.name(ofBlock: block)
        let (output, values) = self.block(name, x, condition, positions, early) { onAttention(block, $0, $1) }
        x = output
        if configuration.mixesValues, first == nil { first = values }
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
      let (left, right) = configuration.fusion == .shallowFirst ? (shallow, deep) : (deep, shallow)
      return $1 < configuration.width ? left[$0, $1] : right[$0, $1 - configuration.width]
    }
    x = configuration.fusion != .none ? linear("renoise_linear", joined) : deep
    run(.decoder, all)
    let modulation = linear("final_layer.adaLN_modulation.1", condition.map(Naive.silu)).row(0)
    let normalized = Naive.modulatedNorm(
      x, configuration.norm, shift: Array(modulation[0..<configuration.width]),
      scale: Array(modulation[configuration.width...]))
    let classVelocity =
      configuration.classToken == nil ? [] : linear("final_layer.linear_cls", normalized.rows(0..<1)).values
    let outputs = linear("final_layer.linear", normalized.rows(configuration.prefix..<configuration.tokens))
    return Result(velocity: unpatched(outputs), classVelocity: classVelocity, features: features)
  }

  /// The class token, if there is one, and the patches, with their positions.
  private func tokens(_ latent: [Double], _ classToken: [Double]) -> NaiveMatrix {
    let (patches, prefix, width) = (
      linear("x_embedder.proj", patches(latent)), configuration.prefix, configuration.width
    )
    let token = configuration.classToken.map {
      Naive.rmsNorm(
        linear("cls_projectors2", NaiveMatrix(rows: 1, columns: $0, classToken)),
        weight: parameters["wg_norm.weight"] ?? [])
    }
    return NaiveMatrix(rows: configuration.tokens, columns: width) { row, column in
      guard row >= prefix else { return token?[0, column] ?? 0 }
      return patches[row - prefix, column] + position(row - prefix, column)
    }
  }

  /// Sines, then cosines, of the column in the first half, of the row in the second.
  private func position(_ patch: Int, _ column: Int) -> Double {
    guard configuration.position == .rotaryAndSines else { return 0 }
    let (half, quarter) = (configuration.width / 2, configuration.width / 4)
    let place = column < half ? patch % configuration.grid : patch / configuration.grid
    let angle = Double(place) * pow(10000, -Double(column % half % quarter) / Double(quarter))
    return column % half < quarter ? sin(angle) : cos(angle)
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
    _ name: String, _ x: NaiveMatrix, _ condition: NaiveMatrix, _ positions: [Int], _ first: NaiveMatrix?,
    onAttention: (_ head: Int, _ log: NaiveMatrix) -> Void
  ) -> (output: NaiveMatrix, values: NaiveMatrix) {
    let width = configuration.width
    let modulation = linear("\(name).adaLN_modulation.1", condition.map(Naive.silu)).row(0)
    // shift, scale and gate of attention, then of the feed-forward layer
    let parts = (0..<6).map { Array(modulation[$0 * width..<($0 + 1) * width]) }
    let qkv = linear("\(name).attn.qkv", Naive.modulatedNorm(x, configuration.norm, shift: parts[0], scale: parts[1]))
    let own = qkv.columns(2 * width..<3 * width)
    let share = first == nil ? 0 : parameters["\(name).attn.v1_lambda"]?.first ?? 0
    let values = NaiveMatrix(rows: own.rows, columns: width) {
      share * (first?[$0, $1] ?? 0) + (1 - share) * own[$0, $1]
    }
    let heads = (0..<configuration.heads).map { head -> NaiveMatrix in
      func slice(_ which: Int) -> NaiveMatrix {
        let start = which * width + head * configuration.headWidth
        return qkv.columns(start..<start + configuration.headWidth)
      }
      func prepared(_ which: Int, _ norm: String) -> NaiveMatrix {
        Naive.rotate(
          Naive.rmsNorm(
            slice(which), weight: parameters["\(name).attn.\(norm).weight"] ?? [],
            epsilon: configuration.headNormEpsilon),
          prefix: configuration.prefix, grid: configuration.grid, positions: positions, theta: configuration.ropeTheta)
      }
      let (query, key) = (prepared(0, "q_norm"), prepared(1, "k_norm"))
      onAttention(head, Naive.logAttention(query, key))
      let start = head * configuration.headWidth
      return Naive.attention(query, key, values.columns(start..<start + configuration.headWidth))
    }
    let attended = NaiveMatrix(rows: x.rows, columns: width) {
      heads[$1 / configuration.headWidth][$0, $1 % configuration.headWidth]
    }
    let between = Naive.gatedResidual(x, linear("\(name).attn.proj", attended), gate: parts[2])
    let hidden = linear(
      "\(name).mlp.fc1", Naive.modulatedNorm(between, configuration.norm, shift: parts[3], scale: parts[4]))
    return (Naive.gatedResidual(between, linear("\(name).mlp.fc2", hidden.map(Naive.gelu)), gate: parts[5]), own)
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
    NaiveMatrix(rows: configuration.patches, columns: configuration.patchElements) {
      latent[element($0, $1, .channelFirst)]
    }
  }

  private func unpatched(_ patches: NaiveMatrix) -> [Double] {
    var latent = [Double](repeating: 0, count: configuration.latentElements)
    for patch in 0..<configuration.patches {
      for column in 0..<configuration.patchElements {
        latent[element(patch, column, configuration.outputOrder)] = patches[patch, column]
      }
    }
    return latent
  }

  private func element(_ token: Int, _ column: Int, _ order: OutputOrder) -> Int {
    let area = configuration.patch * configuration.patch
    let (channel, inside) =
      order == .channelFirst
      ? (column / area, column % area) : (column % configuration.channels, column / configuration.channels)
    let (y, x) = (
      token / configuration.grid * configuration.patch + inside / configuration.patch,
      token % configuration.grid * configuration.patch + inside % configuration.patch
    )
    return (channel * configuration.side + y) * configuration.side + x
  }
}

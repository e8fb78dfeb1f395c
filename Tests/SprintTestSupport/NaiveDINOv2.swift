import Foundation

/// DINOv2 of one image in float64, as plainly as its definition, under the names of the published checkpoints.
package struct NaiveDINOv2 {
  private let tensors: [String: NaiveMatrix]
  private let width, depth, patch: Int

  /// Random weights for a network of `grid` x `grid` positions whose patches have a side of `patch` pixels.
  package init(width: Int, depth: Int, hidden: Int, grid: Int, patch: Int, _ random: inout Randomness) {
    var tensors: [String: NaiveMatrix] = [:]
    func draw(_ name: String, _ rows: Int, _ columns: Int, around centre: Float = 0, _ deviation: Float = 0.3) {
      let values = random.normal(rows * columns, deviation: deviation).map { Double($0 + centre) }
      tensors[name] = NaiveMatrix(rows: rows, columns: columns, values)
    }
    func layer(_ name: String, _ inputs: Int, _ outputs: Int) {
      draw("\(name).weight", outputs, inputs, 1 / Float(inputs).squareRoot())
      draw("\(name).bias", 1, outputs)
    }
    func norm(_ name: String) {
      draw("\(name).weight", 1, width, around: 1)
      draw("\(name).bias", 1, width)
    }
    draw("cls_token", 1, width)
    draw("pos_embed", grid * grid + 1, width)
    layer("patch_embed.proj", 3 * patch * patch, width)
    norm("norm")
    for block in (0..<depth).map({ "blocks.\($0)" }) {
      norm("\(block).norm1")
      norm("\(block).norm2")
      layer("\(block).attn.qkv", width, 3 * width)
      layer("\(block).attn.proj", width, width)
      layer("\(block).mlp.fc1", width, hidden)
      layer("\(block).mlp.fc2", hidden, width)
      draw("\(block).ls1.gamma", 1, width)
      draw("\(block).ls2.gamma", 1, width)
    }
    (self.tensors, self.width, self.depth, self.patch) = (tensors, width, depth, patch)
  }

  /// The tensors as the published checkpoints hold them, sorted by their names.
  package var written: [(name: String, shape: [Int], values: [Float])] {
    tensors.sorted { $0.key < $1.key }.map { ($0, shape(of: $0, $1), $1.values.map(Float.init)) }
  }

  private func shape(of name: String, _ matrix: NaiveMatrix) -> [Int] {
    switch name {
    case "cls_token", "pos_embed": [1, matrix.rows, matrix.columns]
    case "patch_embed.proj.weight": [matrix.rows, 3, patch, patch]
    default: name.contains("weight") && !name.contains("norm") ? [matrix.rows, matrix.columns] : [matrix.columns]
    }
  }

  /// - Parameter patches: [N, 3 p²] the pixels of each patch, channel by channel
  /// - Returns: the tokens [1 + N, D] after the last norm, and the probabilities [1 + N, 1 + N] by block and head
  package func run(patches: NaiveMatrix) -> (tokens: NaiveMatrix, attention: [[NaiveMatrix]]) {
    let embedded = layer(patches, "patch_embed.proj")
    let classToken = tensor("cls_token")
    var x =
      NaiveMatrix(rows: patches.rows + 1, columns: width) { $0 == 0 ? classToken[0, $1] : embedded[$0 - 1, $1] }
      + tensor("pos_embed")
    var attention: [[NaiveMatrix]] = []
    for block in (0..<depth).map({ "blocks.\($0)" }) {
      let (attended, maps) = attend(layer(norm(x, "\(block).norm1"), "\(block).attn.qkv"))
      attention.append(maps)
      x = scaled(layer(attended, "\(block).attn.proj"), "\(block).ls1.gamma") + x
      let hidden = layer(norm(x, "\(block).norm2"), "\(block).mlp.fc1").map { $0 * (1 + erf($0 / 2.squareRoot())) / 2 }
      x = scaled(layer(hidden, "\(block).mlp.fc2"), "\(block).ls2.gamma") + x
    }
    return (norm(x, "norm"), attention)
  }

  private func attend(_ x: NaiveMatrix) -> (NaiveMatrix, [NaiveMatrix]) {
    let heads = (0..<width / 64).map { head in
      (0..<3).map { x.columns($0 * width + head * 64..<$0 * width + (head + 1) * 64) }
    }
    let maps = heads.map { Naive.logAttention($0[0], $0[1]).map { exp($0) } }
    let outputs = zip(maps, heads).map { Naive.multiply($0, $1[2]) }
    return (NaiveMatrix(rows: x.rows, columns: width) { outputs[$1 / 64][$0, $1 % 64] }, maps)
  }

  private func tensor(_ name: String) -> NaiveMatrix { tensors[name] ?? NaiveMatrix(rows: 0, columns: 0, []) }

  private func layer(_ x: NaiveMatrix, _ name: String) -> NaiveMatrix {
    Naive.linear(x, tensor("\(name).weight"), tensor("\(name).bias").values)
  }

  private func norm(_ x: NaiveMatrix, _ name: String) -> NaiveMatrix {
    Naive.modulatedLayerNorm(
      x, shift: tensor("\(name).bias").values, scale: tensor("\(name).weight").values.map { $0 - 1 })
  }

  private func scaled(_ x: NaiveMatrix, _ name: String) -> NaiveMatrix {
    NaiveMatrix(rows: x.rows, columns: x.columns) { x[$0, $1] * tensor(name)[0, $1] }
  }
}

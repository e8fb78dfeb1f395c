import SprintFormats
import SprintKernels

/// The weights of a DINOv2 network.
struct DINOv2Weights: Sendable {
  /// y = x · Wᵀ + b
  struct Layer: Sendable {
    let weight: Matrix<Float>
    let bias: Vector<Float>
  }

  /// Weight and bias of a layer norm.
  struct Norm: Sendable {
    let weight, bias: Vector<Float>
  }

  /// One block; `attentionScale` and `networkScale` are the layer scales [D].
  struct Block: Sendable {
    let attentionNorm: Norm
    let queriesKeysValues, projection: Layer
    let attentionScale: Vector<Float>
    let networkNorm: Norm
    let expansion, contraction: Layer
    let networkScale: Vector<Float>
  }

  let shape: DINOv2Shape
  let blocks: [Block]
  /// From a patch [3, side, side] to a token.
  let patches: Layer
  let norm: Norm
  private let tensors: LoadedTensors

  /// Reads the weights of a file, of float32, float16, bfloat16 or float64.
  init(_ collection: SafetensorsCollection) throws {
    let names = try DINOv2Names(collection)
    let shape = try DINOv2Shape(names)
    let needed = Self.shapes(shape).map { name, extents in
      let parts = names.parts(name)
      let rows = extents[0] / parts.count
      return NeededTensor(name: name, parts: parts, shape: [rows] + extents.dropFirst())
    }
    let tensors = try LoadedTensors(needed, from: NetworkWeights(collection))
    self.shape = shape
    self.tensors = tensors
    patches = tensors.layer("patch_embed.proj", inputs: shape.patchCount)
    norm = tensors.norm("norm")
    blocks = (0..<shape.depth).map { Block(tensors, "blocks.\($0)", shape) }
  }

  /// [D] the class token.
  var classToken: Vector<Float> { tensors.vector("cls_token") }
  /// [R, D] the registers; nil without.
  var registers: Matrix<Float>? {
    shape.registers > 0 ? tensors.vector(DINOv2Names.registers).matrix(columns: shape.width) : nil
  }
  /// [D] the class token's position; nil where it is part of the class token.
  var classPosition: Vector<Float>? { shape.hasClassPosition ? tensors.vector("pos_embed")[0..<shape.width] : nil }
  /// [side², D] the positions of the patches of the image for which the table was stored.
  var positions: Matrix<Float> {
    let all = tensors.vector("pos_embed")
    return all[(shape.hasClassPosition ? shape.width : 0)..<all.count].matrix(columns: shape.width)
  }

  /// The shapes of all tensors, by name.
  private static func shapes(_ shape: DINOv2Shape) -> [(name: String, extents: [Int])] {
    let (width, hidden) = (shape.width, shape.hidden)
    let positions = shape.tableSide * shape.tableSide + (shape.hasClassPosition ? 1 : 0)
    var shapes: [(String, [Int])] = [
      ("cls_token", [1, 1, width]), ("pos_embed", [1, positions, width]),
      ("patch_embed.proj.weight", [width, 3, shape.patch, shape.patch]), ("patch_embed.proj.bias", [width]),
      ("norm.weight", [width]), ("norm.bias", [width]),
    ]
    if shape.registers > 0 { shapes.append((DINOv2Names.registers, [1, shape.registers, width])) }
    for block in 0..<shape.depth {
      shapes += [
        ("norm1.weight", [width]), ("norm1.bias", [width]), ("norm2.weight", [width]), ("norm2.bias", [width]),
        ("attn.qkv.weight", [3 * width, width]), ("attn.qkv.bias", [3 * width]),
        ("attn.proj.weight", [width, width]), ("attn.proj.bias", [width]),
        ("ls1.gamma", [width]), ("ls2.gamma", [width]),
        ("mlp.fc1.weight", [hidden, width]), ("mlp.fc1.bias", [hidden]),
        ("mlp.fc2.weight", [width, hidden]), ("mlp.fc2.bias", [width]),
      ].map { ("blocks.\(block).\($0.0)", $0.1) }
    }
    return shapes
  }
}

extension DINOv2Weights.Block {
  fileprivate init(_ tensors: LoadedTensors, _ name: String, _ shape: DINOv2Shape) {
    attentionNorm = tensors.norm("\(name).norm1")
    queriesKeysValues = tensors.layer("\(name).attn.qkv", inputs: shape.width)
    projection = tensors.layer("\(name).attn.proj", inputs: shape.width)
    attentionScale = tensors.vector("\(name).ls1.gamma")
    networkNorm = tensors.norm("\(name).norm2")
    expansion = tensors.layer("\(name).mlp.fc1", inputs: shape.width)
    contraction = tensors.layer("\(name).mlp.fc2", inputs: shape.hidden)
    networkScale = tensors.vector("\(name).ls2.gamma")
  }
}

extension LoadedTensors {
  fileprivate func layer(_ name: String, inputs: Int) -> DINOv2Weights.Layer {
    .init(weight: vector("\(name).weight").matrix(columns: inputs), bias: vector("\(name).bias"))
  }

  fileprivate func norm(_ name: String) -> DINOv2Weights.Norm {
    .init(weight: vector("\(name).weight"), bias: vector("\(name).bias"))
  }
}

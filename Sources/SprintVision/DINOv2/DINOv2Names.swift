import SprintFormats

/// The tensors of a DINOv2 file under the names of the published checkpoints, whichever of these names the file uses:
///
/// - `blocks.3.attn.qkv.weight`: github.com/facebookresearch/dinov2 and timm (`vit_base_patch14_dinov2`);
/// - `blocks.0.3.attn.qkv.weight`: the former, with its blocks in chunks;
/// - `encoder.layer.3.attention.attention.query.weight` and so on: `Dinov2Model` of huggingface's transformers.
struct DINOv2Names {
  private let collection: SafetensorsCollection
  private let scheme: Scheme

  private enum Scheme {
    /// The chunk of every block.
    case published(chunks: [Int: Int])
    /// What stands before every name: nothing, or the name of a part of a larger network.
    case transformers(prefix: String)
  }

  /// The name of the registers' tokens here; the three programs agree in nothing.
  static let registers = "register_tokens"

  /// Finds out which names a file uses; throws where they are not those of DINOv2 S, B or L.
  init(_ collection: SafetensorsCollection) throws {
    self.collection = collection
    let prefixes = ["", "dinov2.", "dinov2_with_registers."]
    if let prefix = prefixes.first(where: { collection.files["\($0)embeddings.cls_token"] != nil }) {
      scheme = .transformers(prefix: prefix)
    } else {
      scheme = .published(chunks: Self.chunks(collection.files.keys))
    }
    guard has("cls_token") else {
      throw FileError.unusable(
        path: collection.path,
        problem: "there is neither a tensor `cls_token` nor `embeddings.cls_token`, expected the weights of DINOv2")
    }
    if let gated = collection.files.keys.filter({ $0.contains("mlp.w12") || $0.contains("mlp.weights_in") }).min() {
      throw FileError.unusable(
        path: collection.path, problem: "`\(gated)` is of DINOv2's size g, expected that of the sizes S, B or L")
    }
  }

  private static func chunks(_ names: some Sequence<String>) -> [Int: Int] {
    names.reduce(into: [:]) { chunks, name in
      guard let match = name.prefixMatch(of: /blocks\.(\d{1,4})\.(\d{1,4})\./) else { return }
      chunks[Int(match.2) ?? 0] = Int(match.1)
    }
  }

  /// The number of blocks.
  var depth: Int {
    get throws {
      let depth = (0...).first { !has("blocks.\($0).norm1.weight") } ?? 0
      guard depth > 0 else { throw missing("blocks.0.norm1.weight") }
      return depth
    }
  }

  /// Whether the file holds a tensor.
  func has(_ name: String) -> Bool { parts(name).allSatisfy { collection.files[$0] != nil } }

  /// The shape of a tensor.
  func shape(_ name: String) throws -> [Int] { try collection.tensor(parts(name)[0]).entry.shape }

  /// Says that a tensor is not as it should be.
  func unexpected(_ name: String, found: String, expected: String) -> FileError {
    .unexpected(path: collection.path, name: parts(name)[0], found: found, expected: expected)
  }

  private func missing(_ name: String) -> FileError {
    .unusable(path: collection.path, problem: "there is no tensor `\(parts(name)[0])`")
  }

  /// The names in the file of the tensors whose rows follow one another in tensor `name`.
  func parts(_ name: String) -> [String] {
    switch scheme {
    case .published(let chunks): [published(name, chunks)]
    case .transformers(let prefix): transformers(name).map { prefix + $0 }
    }
  }

  private func published(_ name: String, _ chunks: [Int: Int]) -> String {
    if name == Self.registers, collection.files["reg_token"] != nil { return "reg_token" }  // timm
    guard let match = name.wholeMatch(of: /blocks\.(\d+)\.(.*)/), let chunk = chunks[Int(match.1) ?? 0] else {
      return name
    }
    return "blocks.\(chunk).\(match.1).\(match.2)"
  }

  private func transformers(_ name: String) -> [String] {
    if let known = Self.embeddings[name] { return [known] }
    guard let match = name.wholeMatch(of: /blocks\.(\d+)\.(.*)\.(.*)/) else {
      return [name.replacing(/^norm/, with: "layernorm")]
    }
    let (layer, part, kind) = ("encoder.layer.\(match.1)", String(match.2), String(match.3))
    switch part {
    case "attn.qkv": return ["query", "key", "value"].map { "\(layer).attention.attention.\($0).\(kind)" }
    case "attn.proj": return ["\(layer).attention.output.dense.\(kind)"]
    case "ls1", "ls2": return ["\(layer).layer_scale\(part.suffix(1)).lambda1"]
    default: return ["\(layer).\(part).\(kind)"]
    }
  }

  private static let embeddings = [
    "cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
    registers: "embeddings.register_tokens",
    "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
  ]
}

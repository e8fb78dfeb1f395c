import SprintData
import SprintFormats

extension ImportLayout {
  /// `latents_rankRR_shardSSS.safetensors`: drawn latents, scaled by statistics. The layout of LightningDiT.
  static let lightningDiT = ImportLayout(
    name: "lightning-dit",
    recognise: { $0.names.contains(where: LightningShards.isShard) ? .certain(.name) : nil },
    open: { path, _ in try LightningShards(path) },
    scaling: nil,
    secondHalf: nil)
}

/// Safetensors files with `latents` and optionally `latents_flip` [n, C, S, S], and `labels` [n].
private struct LightningShards: LatentSource {
  let shape: SourceShape
  let count: Int
  private let shards: [Shard]
  private let files = OpenFiles<SafetensorsFile>(limit: min(256, OpenFileLimit.current / 4))

  private struct Shard: Sendable {
    let path: String
    let labels: [Int32]
    let first: Int
  }

  static func isShard(_ name: String) -> Bool {
    name.hasPrefix("latents_rank") && name.contains("_shard") && name.hasSuffix(".safetensors")
  }

  init(_ path: String) throws {
    var (shards, count): ([Shard], Int) = ([], 0)
    var common: SourceShape?
    for name in try SourceFolder(path).names().filter(Self.isShard) {
      let file = try SafetensorsFile(path: "\(path)/\(name)")
      let shape = try Self.shape(of: file)
      guard shape == common ?? shape else {
        throw FileError.unusable(
          path: file.path,
          problem: "latents of \(shape.extents), the first shard has \(common?.extents ?? []), "
            + "or one of them lacks latents_flip")
      }
      common = shape
      let labels = try file.integers("labels", shape: [file.entry("latents").shape[0]])
      if let bad = labels.firstIndex(where: { Int32(exactly: $0) == nil }) {
        throw FileError.unusable(path: file.path, problem: "sample \(bad) has label \(labels[bad])")
      }
      shards.append(Shard(path: file.path, labels: labels.map { Int32($0) }, first: count))
      count += labels.count
    }
    guard let common, count > 0 else {
      throw FileError.unusable(path: path, problem: "holds no latents_rankRR_shardSSS.safetensors with samples")
    }
    (shape, self.count, self.shards) = (common, count, shards)
  }

  private static func shape(of file: SafetensorsFile) throws -> SourceShape {
    let latents = try file.entry("latents")
    let flipped = file.entries["latents_flip"]
    guard latents.shape.count == 4, ["F32", "F16", "BF16"].contains(latents.type),
      flipped == nil || flipped?.shape == latents.shape && flipped?.type == latents.type
    else {
      let other = flipped.map { "\($0.type) \($0.shape)" } ?? "missing"
      throw FileError.unusable(
        path: file.path,
        problem: "`latents` is \(latents.type) \(latents.shape), `latents_flip` is \(other), "
          + "expected the same floats [n, C, S, S]")
    }
    return try naming(sample: "0", in: file.path) {
      try SourceShape(Array(latents.shape.dropFirst()), moments: false, flipped: flipped != nil)
    }
  }

  /// The place of a sample's shard.
  private func place(_ index: Int) -> Int { (shards.firstIndex { $0.first > index } ?? shards.count) - 1 }

  func files(_ index: Int) -> [String] { [shards[place(index)].path] }

  func name(_ index: Int) -> String {
    let shard = shards[place(index)]
    return "\(index - shard.first) of \(shard.path.split(separator: "/").last ?? "")"
  }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    let place = place(index)
    let shard = shards[place]
    let entry = index - shard.first
    let file = try files.file(place) { try SafetensorsFile(path: shard.path) }
    try file.floats("latents", from: entry * shape.elements, into: values)
    if let flipped { try file.floats("latents_flip", from: entry * shape.elements, into: flipped) }
    return Int(shard.labels[entry])
  }
}

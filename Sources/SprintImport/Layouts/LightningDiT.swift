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
  let notes: [String]
  private let shards: [Shard]
  private let files = OpenFiles<SafetensorsFile>(limit: min(256, OpenFileLimit.current / 4))

  private struct Shard: Sendable {
    let path: String
    let labels: [Int32]
    let first: Int
  }

  static func isShard(_ name: String) -> Bool {
    // macOS' shadow of a shard counts as one here, to be left aside with a word.
    let shadowed = name.hasPrefix("._") ? name.dropFirst(2) : name[...]
    return shadowed.hasPrefix("latents_rank") && name.contains("_shard") && name.hasSuffix(".safetensors")
  }

  init(_ path: String) throws {
    var (shards, count): ([Shard], Int) = ([], 0)
    var common: SourceShape?
    let found = try SourceFolder(path).walk(depth: 1, Self.isShard)
    let names = found.files.filter { ShardNumber($0) != nil }.sorted(by: NameOrder.isBefore)
    for name in names {
      let file = try SafetensorsFile(path: "\(path)/\(name)")
      let shape = try Self.shape(of: file)
      guard shape == common ?? shape else {
        throw FileError.unusable(
          path: file.path,
          problem: Self.difference(shape, common ?? shape, names[0]))
      }
      common = shape
      let labels = try Self.labels(of: file)
      shards.append(Shard(path: file.path, labels: labels, first: count))
      count += labels.count
    }
    guard let common, count > 0 else {
      throw FileError.unusable(path: path, problem: "holds no latents_rankRR_shardSSS.safetensors with samples")
    }
    (shape, self.count, self.shards) = (common, count, shards)
    let others = found.files.filter { ShardNumber($0) == nil }.sorted(by: NameOrder.isBefore)
    notes =
      [
        Clutter.note(found.clutter, Clutter.reason),
        Clutter.note(others, "shards are named latents_rankRR_shardSSS.safetensors"),
      ].compactMap(\.self) + ShardNumber.gaps(names.compactMap(ShardNumber.init))
  }

  private static func difference(_ shape: SourceShape, _ common: SourceShape, _ first: String) -> String {
    guard shape.extents == common.extents else {
      return "latents of \(shape.extents), the first shard has \(common.extents)"
    }
    return shape.hasFlipped
      ? "holds `latents_flip`, which \(first) lacks; expected it in all shards or in none"
      : "lacks `latents_flip`, which \(first) holds; expected it in all shards or in none"
  }

  /// Returns the classes of a shard: whole numbers of any type, in a list or a column.
  private static func labels(of file: SafetensorsFile) throws -> [Int32] {
    let (entry, count) = (try file.entry("labels"), try file.entry("latents").shape[0])
    guard entry.shape.reduce(1, *) == count, entry.shape.filter({ $0 != 1 }).count <= 1 else {
      throw FileError.unexpected(
        path: file.path, name: "labels", found: "\(entry.type) \(entry.shape)", expected: "whole numbers [\(count)]")
    }
    return try file.wholeNumbers("labels").enumerated().map { index, label in
      guard let class32 = Int32(exactly: label) else {
        throw FileError.unusable(path: file.path, problem: "sample \(index) has label \(label)")
      }
      return class32
    }
  }

  private static func shape(of file: SafetensorsFile) throws -> SourceShape {
    let latents = try file.entry("latents")
    let flipped = file.entries["latents_flip"]
    guard latents.shape.count == 4, ["F32", "F16", "BF16"].contains(latents.type),
      flipped == nil || flipped?.shape == latents.shape && flipped?.type == latents.type
    else {
      guard flipped.map({ $0.shape == latents.shape && $0.type == latents.type }) == false else {
        throw FileError.unusable(
          path: file.path,
          problem: "`latents` is \(latents.type) \(latents.shape), expected F32, F16 or BF16 [n, C, S, S]")
      }
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

/// The numbers in `latents_rankRR_shardSSS.safetensors`.
private struct ShardNumber {
  let rank, shard: Int

  init?(_ name: String) {
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "latents", parts[2].hasSuffix(".safetensors"),
      let rank = Self.number(parts[1], after: "rank"),
      let shard = Self.number(parts[2].dropLast(".safetensors".count), after: "shard")
    else { return nil }
    (self.rank, self.shard) = (rank, shard)
  }

  private static func number(_ text: Substring, after word: String) -> Int? {
    let digits = text.dropFirst(word.count)
    guard text.hasPrefix(word), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(digits)
  }

  /// Returns a line for each rank whose shards are not numbered from 0 on without a gap.
  static func gaps(_ all: [ShardNumber]) -> [String] {
    Dictionary(grouping: all, by: \.rank).sorted { $0.key < $1.key }.compactMap { rank, shards in
      let there = Set(shards.map(\.shard)).sorted()
      var next = 0
      var missing: [String] = []
      for shard in there {
        if shard > next { missing.append(shard == next + 1 ? "\(next)" : "\(next) to \(shard - 1)") }
        next = shard + 1
      }
      guard !missing.isEmpty else { return nil }
      return "rank \(rank) has shards up to \(next - 1), but none with the numbers \(missing.joined(separator: ", ")); "
        + "were they lost?"
    }
  }
}

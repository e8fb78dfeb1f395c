import Foundation

/// The index of tensors in several safetensors files: which shard holds which tensor.
package struct SafetensorsIndex {
  /// The path of the index.
  package let path: String
  /// The name of the shard of each tensor, by the tensor's name.
  package let shards: [String: String]

  /// Reads an index. Throws where a shard lies outside its folder.
  package init(path: String) throws {
    let file = try RandomAccessFile(reading: path)
    guard try file.size <= SafetensorsFile.largestHeader else {
      throw FileError.unusable(
        path: path,
        problem: "an index of \(try file.size) bytes, expected at most \(SafetensorsFile.largestHeader)")
    }
    let table = try? JSONSerialization.jsonObject(with: try file.contents()) as? [String: Any]
    guard let shards = table?["weight_map"] as? [String: String] else {
      throw FileError.otherKind(path, expected: .safetensorsIndex)
        ?? .unusable(path: path, problem: "expected JSON whose `weight_map` names a file for each tensor")
    }
    if let odd = shards.values.first(where: { $0.contains("/") || $0.hasPrefix(".") || $0.isEmpty }) {
      throw FileError.unusable(path: path, problem: "names the shard `\(odd)`, expected the name of a file beside it")
    }
    (self.path, self.shards) = (path, shards)
  }

  /// The names of the shards, in ascending order.
  package var names: [String] { Set(shards.values).sorted() }

  /// The path of a shard.
  package func path(of shard: String) -> String { (path as NSString).deletingLastPathComponent.joined(shard) }

  /// The names of the shards that do not exist.
  package var missing: [String] { names.filter { access(path(of: $0), F_OK) != 0 } }

  /// What the name of a shard says: its number, the number of all shards, and the path of their index. Nil for other
  /// names, such as `model.safetensors`, and for a shard that is the only one.
  package static func shard(_ path: String) -> (number: Int, count: Int, index: String)? {
    guard let match = path.wholeMatch(of: /(.*)-(\d{1,9})-of-(\d{1,9})\.safetensors/),
      let number = Int(match.2), let count = Int(match.3), count > 1
    else { return nil }
    return (number, count, "\(match.1).safetensors.index.json")
  }
}

extension String {
  fileprivate func joined(_ name: String) -> String { isEmpty ? name : "\(self)/\(name)" }
}

import Foundation

/// The tensors of one safetensors file, or of all shards that an index lists.
package struct SafetensorsCollection: Sendable {
  /// The path of the file or of the index.
  package let path: String
  /// The files, by the names of their tensors.
  package let files: [String: SafetensorsFile]
  /// The metadata of a single file.
  package let metadata: [String: String]
  /// The paths of all files with tensors.
  package let paths: [String]

  /// Opens a file, an index with its shards, or the one of them in a folder.
  package init(path: String) throws {
    let path = try Self.file(at: path)
    self.path = path
    guard try FileKind(path: path) == .safetensorsIndex else {
      let file = try SafetensorsFile(path: path)
      try Self.checkWhole(path)
      files = file.entries.mapValues { _ in file }
      (metadata, paths) = (file.metadata, [path])
      return
    }
    let index = try SafetensorsIndex(path: path)
    (files, metadata, paths) = (try Self.open(index), [:], index.names.map(index.path(of:)))
  }

  /// Throws for one shard of several: it holds a part of the weights only.
  private static func checkWhole(_ path: String) throws {
    guard let shard = SafetensorsIndex.shard(path) else { return }
    let index = access(shard.index, F_OK) == 0 ? shard.index : "\(shard.index), which is missing here"
    throw FileError.unusable(
      path: path, problem: "shard \(shard.number) of \(shard.count); name the index of all shards instead: \(index)")
  }

  private static func open(_ index: SafetensorsIndex) throws -> [String: SafetensorsFile] {
    guard index.missing.isEmpty else {
      throw FileError.unusable(
        path: index.path,
        problem: "lists \(index.names.count) shards, of which are missing: \(index.missing.joined(separator: ", "))")
    }
    let shards = try index.names.reduce(into: [:]) { $0[$1] = try SafetensorsFile(path: index.path(of: $1)) }
    return try index.shards.reduce(into: [:]) { files, entry in
      guard let file = shards[entry.value], file.entries[entry.key] != nil else {
        throw FileError.unusable(
          path: index.path, problem: "says that `\(entry.key)` is in \(entry.value), which does not hold it")
      }
      files[entry.key] = file
    }
  }

  /// The path itself, or that of the only index or else the only safetensors file in a folder.
  private static func file(at path: String) throws -> String {
    guard FolderListing.isFolder(path) else { return path }
    let names = try FolderListing(path).names.filter { !$0.hasPrefix(".") }
    let indexes = names.filter { $0.hasSuffix(".safetensors.index.json") }
    let found = indexes.isEmpty ? names.filter { $0.hasSuffix(".safetensors") } : indexes
    guard found.count == 1 else {
      let what = found.isEmpty ? "no safetensors file" : "several of them: \(found.joined(separator: ", "))"
      throw FileError.unusable(path: path, problem: "a folder, in which lies \(what); name one file or one index")
    }
    return "\(path)/\(found[0])"
  }

  /// The entry of a tensor, and the file in which it lies.
  package func tensor(_ name: String) throws -> (entry: SafetensorsFile.Entry, file: SafetensorsFile) {
    guard let file = files[name] else {
      throw FileError.unusable(path: path, problem: "there is no tensor `\(name)`")
    }
    return (try file.entry(name), file)
  }
}

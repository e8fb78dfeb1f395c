import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// Tensors in shards with an index.
@Suite struct SafetensorsCollectionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ tensors: [String]) throws {
    let one: [Float] = [1]
    try one.withUnsafeBufferPointer { one in
      try SafetensorsFile.write(
        tensors.map { .init(name: $0, shape: [1], values: one) }, metadata: [:], to: folder.file(name))
    }
  }

  private func write(index map: [String: String], _ name: String = "m.safetensors.index.json") throws -> String {
    let json = try JSONSerialization.data(withJSONObject: ["metadata": ["total_size": 8], "weight_map": map])
    try json.write(to: URL(fileURLWithPath: folder.file(name)))
    return folder.file(name)
  }

  @Test("Each tensor is read from the shard that the index names; a folder with one index stands for it")
  func shards() throws {
    try write("m-00001-of-00002.safetensors", ["a", "b"])
    try write("m-00002-of-00002.safetensors", ["c", "b"])
    let index = try write(
      index: [
        "a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors", "c": "m-00002-of-00002.safetensors",
      ])
    for path in [index, folder.path] {
      let tensors = try SafetensorsCollection(path: path)
      #expect(tensors.path == index && tensors.files.keys.sorted() == ["a", "b", "c"])
      #expect(try tensors.tensor("b").file.path.hasSuffix("m-00002-of-00002.safetensors"))
    }
  }

  @Test("Shards that are missing are named, and so is a tensor that its shard lacks")
  func missing() throws {
    try write("m-00001-of-00003.safetensors", ["a"])
    let index = try write(
      index: [
        "a": "m-00001-of-00003.safetensors", "b": "m-00002-of-00003.safetensors", "c": "m-00003-of-00003.safetensors",
      ])
    #expect { try SafetensorsCollection(path: index) } throws: {
      "\($0)".contains("missing: m-00002-of-00003.safetensors, m-00003-of-00003.safetensors")
    }
    let wrong = try write(index: ["z": "m-00001-of-00003.safetensors"])
    #expect { try SafetensorsCollection(path: wrong) } throws: { "\($0)".contains("`z`") }
  }

  @Test("A shard outside the folder of the index is refused", arguments: ["../a.safetensors", "/etc/passwd", ".x", ""])
  func outside(shard: String) throws {
    let index = try write(index: ["a": shard])
    #expect { try SafetensorsCollection(path: index) } throws: { "\($0)".contains("`\(shard)`") }
  }

  @Test("One shard of several names the index; the only shard does not count as one")
  func oneShard() throws {
    try write("m-00002-of-00007.safetensors", ["a"])
    #expect { try SafetensorsCollection(path: folder.file("m-00002-of-00007.safetensors")) } throws: {
      "\($0)".contains("shard 2 of 7") && "\($0)".contains("m.safetensors.index.json, which is missing here")
    }
    try write("m-00001-of-00001.safetensors", ["a"])
    _ = try SafetensorsCollection(path: folder.file("m-00001-of-00001.safetensors"))
  }

  @Test("A folder with one safetensors file stands for it; with none or several, what is there is listed")
  func folders() throws {
    #expect { try SafetensorsCollection(path: folder.path) } throws: { "\($0)".contains("no safetensors file") }
    try write("a.safetensors", ["a"])
    #expect(try SafetensorsCollection(path: folder.path).files.count == 1)
    try write("b.safetensors", ["a"])
    #expect { try SafetensorsCollection(path: folder.path) } throws: {
      "\($0)".contains("a.safetensors, b.safetensors")
    }
  }
}

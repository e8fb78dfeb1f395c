import SprintFormats

/// The tensors of a network in a file of others, all of whose names begin alike. It remembers which were read, so that
/// a network that differs from the one here is noticed by its other tensors.
package final class NetworkWeights {
  /// What all names begin with, e.g. `first_stage_model.`.
  package let prefix: String
  private let collection: SafetensorsCollection
  private var read: Set<String> = []

  /// Describes the tensors of a file whose names begin with `prefix`.
  package init(_ collection: SafetensorsCollection, prefix: String = "") {
    (self.collection, self.prefix) = (collection, prefix)
  }

  /// The path of the file, for messages.
  package var path: String { collection.path }

  /// Whether there is a tensor.
  package func has(_ name: String) -> Bool { collection.files[prefix + name] != nil }

  /// The extents of a tensor.
  package func shape(_ name: String) throws -> [Int] { try collection.tensor(prefix + name).entry.shape }

  /// Returns the numbers of a tensor of F32, F16, BF16 or F64. Throws where its shape is none of `shapes`, or a number
  /// is not finite.
  package func floats(_ name: String, shapes: [Int]...) throws -> [Float] {
    let shape = try shape(name)
    guard shapes.contains(shape) else {
      throw unexpected(name, found: "\(shape)", expected: shapes.map { "\($0)" }.joined(separator: " or "))
    }
    let count = shape.reduce(1, *)
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try read(name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }

  /// Reads the numbers of a tensor of F32, F16, BF16 or F64, whose shape the caller has checked. Throws where a number
  /// is not finite.
  package func read(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    try collection.tensor(prefix + name).file.floats(prefix + name, into: values)
    guard values.allSatisfy(\.isFinite) else {
      throw unexpected(name, found: "not finite in some numbers", expected: "finite numbers")
    }
    read.insert(prefix + name)
  }

  /// Throws for a tensor below one of these names that was not read.
  package func requireAllRead(below names: [String]) throws {
    let left = collection.files.keys.filter { name in
      !read.contains(name) && names.contains { name.hasPrefix(prefix + $0 + ".") }
    }
    guard let odd = left.min() else { return }
    throw FileError.unusable(
      path: path, problem: "the tensor `\(odd)` has no place in this kind of network (\(left.count) such tensors)")
  }

  /// An error about a tensor.
  package func unexpected(_ name: String, found: String, expected: String) -> FileError {
    .unexpected(path: path, name: prefix + name, found: found, expected: expected)
  }
}

extension SafetensorsCollection {
  /// One SHA-256 for all files with tensors: that of the only file, or that of the files' own, in order.
  package var fingerprint: String {
    get throws {
      let hashes = try paths.map { try Fingerprint(of: $0).sha256 }
      guard hashes.count > 1 else { return hashes[0] }
      var sum = Fingerprint.Sum()
      for hash in hashes { sum.add(Array(hash.utf8)) }
      return sum.fingerprint.sha256
    }
  }

  /// What stands before the one tensor whose name ends with `name`, or nil without such a tensor. Throws for several.
  package func prefix(of name: String) throws -> String? {
    let found = files.keys.filter { $0 == name || $0.hasSuffix("." + name) }.sorted()
    guard found.count <= 1 else {
      throw FileError.unusable(path: path, problem: "holds several networks: \(found.joined(separator: ", "))")
    }
    return found.first.map { String($0.dropLast(name.count)) }
  }
}

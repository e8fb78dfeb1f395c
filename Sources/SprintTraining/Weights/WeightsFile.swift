import Foundation
import SprintFormats
import SprintModel

/// A safetensors file of weights under their published names, to exchange with other programs.
package struct WeightsFile {
  private let file: SafetensorsFile
  /// Names in the file by published name. They differ by the prefixes of PyTorch's wrappers.
  private let names: [String: String]
  private static let wrappers = ["module.", "_orig_mod."]

  /// Shell patterns, such as `projectors.*`, of names that may be missing in the file or in the network.
  package struct Allowance: Sendable {
    /// Names of weights that the file may lack; they keep their initial values.
    package var missing: [String] = []
    /// Names of tensors that the network may lack; they are not read.
    package var surplus: [String] = []

    package init(missing: [String] = [], surplus: [String] = []) { (self.missing, self.surplus) = (missing, surplus) }
  }

  /// Opens a file and reads its header.
  package init(path: String) throws {
    if Pickle.isOne(path) { throw FileError.unusable(path: path, problem: Pickle.remedy) }
    file = try SafetensorsFile(path: path)
    var names: [String: String] = [:]
    for name in file.entries.keys.sorted() {
      let published = Self.published(name)
      if let other = names.updateValue(name, forKey: published) {
        throw FileError.unusable(
          path: path, problem: "holds `\(published)` twice, as `\(other)` and `\(name)`")
      }
    }
    self.names = names
  }

  /// The metadata that the exporting program wrote.
  package var metadata: [String: String] { file.metadata }

  /// The path of the file.
  package var path: String { file.path }

  /// Reads all weights of a network; the file may hold float32, float16 or bfloat16.
  package func read(into arena: ParameterArena<Float>, _ allowance: Allowance = Allowance()) throws {
    let expected = Set(arena.layout.parameters.map(\.name))
    try check(
      names.keys.filter { !expected.contains($0) }, "holds tensors that the network lacks", allowance.surplus,
      .allowSurplus)
    try check(
      expected.filter { names[$0] == nil }, "lacks weights of the network", allowance.missing, .allowMissing)
    for parameter in arena.layout.parameters {
      guard let name = names[parameter.name] else { continue }
      let shape = try file.entry(name).shape
      guard shape == parameter.shape else {
        throw FileError.unexpected(
          path: path, name: name, found: "of shape \(shape)",
          expected: "\(parameter.shape); is the model of another size?")
      }
      let values = arena[parameter].buffer
      try file.floats(name, into: values)
      guard values.allSatisfy(\.isFinite) else {
        throw FileError.unexpected(path: path, name: name, found: "not finite", expected: "finite numbers")
      }
    }
  }

  /// Throws if one of `names` matches none of the patterns in `allowed`.
  private func check(_ names: [String], _ problem: String, _ allowed: [String], _ remedy: WeightsRemedy) throws {
    let names = names.filter { name in !allowed.contains { fnmatch($0, name, 0) == 0 } }.sorted()
    guard !names.isEmpty else { return }
    let listed = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", ... (\(names.count) in all)" : "")
    throw FileError.unusable(
      path: path, problem: "\(problem) (is the model of another shape?): \(listed)", remedy: remedy)
  }

  /// Returns a name without the prefixes of PyTorch's wrappers.
  private static func published(_ name: String) -> String {
    var name = name[...]
    while let wrapper = wrappers.first(where: { name.hasPrefix($0) }) { name = name.dropFirst(wrapper.count) }
    return String(name)
  }

  /// Writes all weights as float32. If writing fails, a file that was at `path` before is unchanged.
  package static func write(_ arena: ParameterArena<Float>, metadata: [String: String], to path: String) throws {
    let tensors = arena.layout.parameters.map {
      SafetensorsFile.Tensor(name: $0.name, shape: $0.shape, values: UnsafeBufferPointer(arena[$0].buffer))
    }
    try SafetensorsFile.write(tensors, metadata: ["format": "pt"].merging(metadata) { $1 }, to: path)
  }
}

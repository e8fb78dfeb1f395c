import Foundation
import SprintFormats
import SprintModel

/// Weights for other programs, and from them: a safetensors file of tensors under their published names.
package struct WeightsFile {
  private let file: SafetensorsFile
  /// Names in the file by published name, which wrappers of PyTorch put something in front of.
  private let names: [String: String]
  private static let wrappers = ["module.", "_orig_mod."]

  /// Which names need not be on both sides: shell patterns such as `projectors.*`.
  package struct Allowance: Sendable {
    /// Of weights that the file may lack; they keep their initial values.
    package var missing: [String] = []
    /// Of tensors that the network may lack; they are left aside.
    package var surplus: [String] = []

    /// Nothing but the patterns given.
    package init(missing: [String] = [], surplus: [String] = []) { (self.missing, self.surplus) = (missing, surplus) }
  }

  /// Opens a file.
  package init(path: String) throws {
    if Pickle.isOne(path) { throw RunError.unusable("\(path): \(Pickle.remedy)") }
    file = try SafetensorsFile(path: path)
    var names: [String: String] = [:]
    for name in file.entries.keys.sorted() {
      let published = Self.published(name)
      if let other = names.updateValue(name, forKey: published) {
        throw RunError.unusable("\(path): holds `\(published)` twice, as `\(other)` and `\(name)`")
      }
    }
    self.names = names
  }

  /// What the exporting program knew of the weights, if it was sprint.
  package var metadata: [String: String] { file.metadata }

  /// Where the file lies.
  package var path: String { file.path }

  /// Reads all weights of a network, of float32, float16 or bfloat16.
  package func read(into arena: ParameterArena, _ allowance: Allowance = Allowance()) throws {
    let wanted = Set(arena.layout.parameters.map(\.name))
    try check(
      names.keys.filter { !wanted.contains($0) }, "holds what the network has not", allowance.surplus, "surplus")
    try check(wanted.filter { names[$0] == nil }, "lacks what the network has", allowance.missing, "missing")
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

  private func check(_ odd: [String], _ problem: String, _ allowed: [String], _ option: String) throws {
    let names = odd.filter { name in !allowed.contains { fnmatch($0, name, 0) == 0 } }.sorted()
    guard !names.isEmpty else { return }
    let listed = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", ... (\(names.count) in all)" : "")
    throw RunError.unusable(
      "\(path): \(problem): \(listed); is the model of another shape? What is meant so is let pass by --allow-\(option) GLOB"
    )
  }

  private static func published(_ name: String) -> String {
    var name = name[...]
    while let wrapper = wrappers.first(where: { name.hasPrefix($0) }) { name = name.dropFirst(wrapper.count) }
    return String(name)
  }

  /// Writes all weights as float32, in one piece or not at all.
  package static func write(_ arena: ParameterArena, metadata: [String: String], to path: String) throws {
    let tensors = arena.layout.parameters.map {
      SafetensorsFile.Tensor(name: $0.name, shape: $0.shape, values: UnsafeBufferPointer(arena[$0].buffer))
    }
    try SafetensorsFile.write(tensors, metadata: ["format": "pt"].merging(metadata) { $1 }, to: path)
  }
}

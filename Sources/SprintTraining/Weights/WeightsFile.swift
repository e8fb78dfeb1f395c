import Foundation
import SprintFormats
import SprintModel

/// Weights in safetensors, under their published names or with a prefix before them, to exchange with other programs.
package struct WeightsFile {
  private let tensors: SafetensorsCollection

  /// Shell patterns, such as `projectors.*`, of names that may be missing in the file or in the network.
  package struct Allowance: Sendable {
    /// Names of weights that the file may lack; they keep their initial values.
    package var missing: [String] = []
    /// Names of tensors that the network may lack; they are not read.
    package var surplus: [String] = []
    /// Names of weights that may have another shape in the file; where they do, they keep their initial values.
    package var shapes: [String] = []

    package init(missing: [String] = [], surplus: [String] = [], shapes: [String] = []) {
      (self.missing, self.surplus, self.shapes) = (missing, surplus, shapes)
    }
  }

  /// Opens a file, an index of shards, or the one of them in a folder, and reads the headers.
  package init(path: String) throws {
    if (try? FileKind(path: path)) == .hdf5 {
      throw FileError.unusable(
        path: path, problem: "an HDF5 file, expected safetensors", remedy: WeightsRemedy.exportCheckpoint)
    }
    tensors = try SafetensorsCollection(path: path)
  }

  /// The metadata that the exporting program wrote.
  package var metadata: [String: String] { tensors.metadata }

  /// The path of the file or of the index.
  package var path: String { tensors.path }

  /// A text that differs between any two sets of weights.
  var identity: String {
    get throws { try tensors.paths.map { try Fingerprint(of: $0).sha256 }.joined(separator: " ") }
  }

  /// Reads all weights of a network; the file may hold float32, float16, bfloat16 or float64.
  ///
  /// - Parameter choice: which weights to read where the file holds several sets
  /// - Returns: lines for the user: which of several sets is read, and which weights keep their initial values because
  ///   of their shape
  @discardableResult
  package func read(
    into arena: ParameterArena<Float>, _ choice: WeightsSource.Choice = .ema, _ allowance: Allowance = Allowance()
  ) throws -> [String] {
    let scheme = PublishedWeights(arena.layout.configuration, in: tensors.files.keys)
    let parameters = arena.layout.parameters.map { (parameter: $0, name: scheme.name($0)) }
    let constants = scheme.constants()
    let names = try WeightNames(
      tensors.files.keys, expected: Set(parameters.map(\.name) + constants.map(\.name))
    ) { published, first, second in
      FileError.unusable(path: path, problem: "holds `\(published)` twice, as `\(first)` and `\(second)`")
    }
    let set = try chosen(names, parameters.map(\.name), choice, allowance)
    try check(names.surplus(beside: set), Self.surplus, allowance.surplus, .allowSurplus, among: names.sets)
    let shapes = parameters.map { ($0.name, scheme.shape($0.parameter)) } + constants.map { ($0.name, $0.shape) }
    let differences = try differences(of: set, from: shapes, allowance.shapes)
    let fitting = set.names.filter { name, _ in !differences.contains { $0.name == name } }
    for (parameter, published) in parameters {
      if let name = fitting[published] { try read(name, into: arena[parameter].buffer) }
    }
    for constant in constants {
      if let name = fitting[constant.name] { try check(name, is: constant) }
    }
    return [notice(names, set)].compactMap(\.self) + differences.map { "\(path): \($0.notice)" }
  }

  /// Returns the tensors of another shape than the network's. Throws where one of them matches no pattern.
  private func differences(
    of set: WeightNames.WeightSet, from shapes: [(name: String, shape: [Int])], _ allowed: [String]
  ) throws -> [ShapeDifference] {
    let differences = try shapes.compactMap { published, shape -> ShapeDifference? in
      guard let name = set.names[published] else { return nil }
      let found = try tensors.tensor(name).entry.shape
      return found == shape ? nil : ShapeDifference(name: published, found: found, expected: shape)
    }
    let refused = Set(Self.unmatched(differences.map(\.name), allowed))
    guard refused.isEmpty else {
      let (problem, remedy) = ShapeDifference.problem(differences.filter { refused.contains($0.name) })
      throw FileError.unusable(path: path, problem: problem, remedy: remedy)
    }
    return differences
  }

  private func read(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    try tensors.tensor(name).file.floats(name, into: values)
    guard values.allSatisfy(\.isFinite) else {
      throw FileError.unexpected(path: path, name: name, found: "not finite", expected: "finite numbers")
    }
  }

  /// Throws if a table that the network computes itself has other values in the file.
  private func check(_ name: String, is constant: PublishedWeights.Constant) throws {
    var found = [Float](repeating: 0, count: constant.values.count)
    try found.withUnsafeMutableBufferPointer { try read(name, into: $0) }
    guard let place = found.indices.first(where: { abs(found[$0] - constant.values[$0]) > 1e-3 }) else { return }
    throw FileError.unexpected(
      path: path, name: "\(name)[\(place)]", found: "\(found[place])",
      expected: "\(constant.values[place]); sprint computes the fixed tables of the published network alone")
  }

  // MARK: Names

  private static let surplus = "holds tensors that the network lacks"

  /// Returns the set to read. Throws where none is whole, or more than one could be meant.
  private func chosen(
    _ names: WeightNames, _ expected: [String], _ choice: WeightsSource.Choice, _ allowance: Allowance
  ) throws -> WeightNames.WeightSet {
    func missing(_ set: WeightNames.WeightSet) -> [String] {
      Self.unmatched(expected.filter { set.names[$0] == nil }, allowance.missing)
    }
    let whole = names.sets.filter { missing($0).isEmpty }
    guard !whole.isEmpty else {
      let best = names.sets.first ?? WeightNames.WeightSet(prefix: "")
      try check(names.surplus(beside: best), Self.surplus, allowance.surplus, .allowSurplus, among: names.sets)
      try check(missing(best), "lacks weights of the network", allowance.missing, .allowMissing, among: names.sets)
      return best
    }
    let meant = whole.filter { $0.isAverage == (choice == .ema) }
    if let set = meant.first, meant.count == 1 { return set }
    guard whole.count == 1, choice == .ema || !whole[0].isAverage else {
      throw FileError.unusable(
        path: path,
        problem: "holds weights \(Self.listed(whole)), of which it is not clear which are `\(choice)`; keep one set")
    }
    return whole[0]
  }

  /// One line that says which of several sets is read.
  private func notice(_ names: WeightNames, _ set: WeightNames.WeightSet) -> String? {
    let others = names.sets.filter { $0.prefix != set.prefix }
    guard !others.isEmpty else { return nil }
    return "\(path): reading the weights \(Self.listed([set])) and leaving out those \(Self.listed(others))"
  }

  private static func listed(_ sets: [WeightNames.WeightSet]) -> String {
    sets.map { $0.prefix.isEmpty ? "without a prefix" : "under `\($0.prefix)`" }.joined(separator: ", ")
  }

  /// The names that match none of the patterns.
  private static func unmatched(_ names: [String], _ allowed: [String]) -> [String] {
    names.filter { name in !allowed.contains { fnmatch($0, name, 0) == 0 } }.sorted()
  }

  /// Throws if one of `names` matches none of the patterns in `allowed`.
  private func check(
    _ names: [String], _ problem: String, _ allowed: [String], _ remedy: WeightsRemedy,
    among sets: [WeightNames.WeightSet]
  ) throws {
    let names = Self.unmatched(names, allowed)
    guard !names.isEmpty else { return }
    let listed = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", ... (\(names.count) in all)" : "")
    let prefixes = sets.allSatisfy(\.prefix.isEmpty) ? "" : "weights are there \(Self.listed(sets)); "
    let origin = WeightNames.origin(of: tensors.files.keys) ?? "is the model of another shape?"
    throw FileError.unusable(path: path, problem: "\(problem) (\(prefixes)\(origin)): \(listed)", remedy: remedy)
  }

  /// Writes all weights as float32. If writing fails, a file that was at `path` before is unchanged.
  package static func write(_ arena: ParameterArena<Float>, metadata: [String: String], to path: String) throws {
    let published = PublishedWeights(arena.layout.configuration)
    let constants = published.constants()
    var tensors = arena.layout.parameters.map {
      SafetensorsFile.Tensor(
        name: published.name($0), shape: published.shape($0), values: UnsafeBufferPointer(arena[$0].buffer))
    }
    tensors += constants.map {
      SafetensorsFile.Tensor(name: $0.name, shape: $0.shape, values: UnsafeBufferPointer($0.values.buffer))
    }
    // The constants own the memory of their values.
    try withExtendedLifetime(constants) {
      try SafetensorsFile.write(tensors, metadata: ["format": "pt"].merging(metadata) { $1 }, to: path)
    }
  }
}

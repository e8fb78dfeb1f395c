import Foundation
import SprintFormats

extension ImportLayout {
  /// `imagenet256_features/I.npy` and `imagenet256_labels/I.npy`: drawn and scaled latents. The layout of fast-DiT.
  static let fastDiT = ImportLayout(
    name: "fast-dit",
    recognise: { source in
      source.names.contains { $0.hasSuffix("_features") } && source.names.contains { $0.hasSuffix("_labels") }
        ? .certain(.name) : nil
    },
    open: { path, _ in try PairedFiles(path) },
    scaling: .factor(1),
    secondHalf: nil)
}

/// Features (1, C, S, S) and labels (1,) in two folders, paired by file name.
private struct PairedFiles: LatentSource {
  let shape: SourceShape
  private let features, labels: String
  private let names: [String]

  init(_ path: String) throws {
    let folders = try SourceFolder(path).names()
    func only(_ ending: String) throws -> String {
      let found = folders.filter { $0.hasSuffix(ending) }
      guard found.count == 1 else {
        throw FileError.unusable(path: path, problem: "\(found.count) folders end in \(ending), expected one")
      }
      return "\(path)/\(found[0])"
    }
    (features, labels) = (try only("_features"), try only("_labels"))
    func numbered(_ folder: String) throws -> [String] {
      try SourceFolder(folder).names().filter { $0.hasSuffix(".npy") }
        .sorted { ($0.count, $0) < ($1.count, $1) }
    }
    names = try numbered(features)
    let labelled = try numbered(labels)
    guard names == labelled else {
      let odd = Set(names).symmetricDifference(labelled).min() ?? ""
      throw FileError.unusable(
        path: path, problem: "\(odd) is in one of \(features) and \(labels) only, but they are paired by name")
    }
    guard let first = names.first else { throw FileError.unusable(path: features, problem: "holds no .npy file") }
    shape = try naming(sample: first, in: path) { [features] in
      try SourceShape(NPYArray(path: "\(features)/\(first)").shape, moments: false)
    }
  }

  var count: Int { names.count }

  func files(_ index: Int) -> [String] { [features, labels].map { "\($0)/\(names[index])" } }

  func name(_ index: Int) -> String { names[index] }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    try NPYArray(path: "\(features)/\(names[index])").floats(of: shape, into: values)
    let label = try NPYArray(path: "\(labels)/\(names[index])")
    guard label.count == 1 else { throw UnfitSample("\(label.count) classes, expected one") }
    return Int(try label.integers()[0])
  }
}

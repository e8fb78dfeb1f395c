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
  let notes: [String]
  private let features, labels: String
  private let names: [String]

  init(_ path: String) throws {
    let folders = try SourceFolder(path).folders()
    func only(_ ending: String) throws -> String {
      let found = folders.filter { $0.hasSuffix(ending) }
      guard found.count == 1 else {
        throw FileError.unusable(path: path, problem: "\(found.count) folders end in \(ending), expected one")
      }
      return "\(path)/\(found[0])"
    }
    let (features, labels) = (try only("_features"), try only("_labels"))
    let found = try [features, labels].map { try SourceFolder($0).walk(depth: 1) { $0.hasSuffix(".npy") } }
    // A name in one of the folders only is a sample that lacks its other half.
    let names = Set(found.flatMap(\.files)).sorted {
      $0.utf8.count == $1.utf8.count ? NameOrder.isBefore($0, $1) : $0.utf8.count < $1.utf8.count
    }
    guard !names.isEmpty else { throw FileError.unusable(path: features, problem: "holds no .npy file") }
    shape = try SourceShape.ofMost(names.count, in: path, { names[$0] }) {
      try SourceShape(Self.array(names[$0], features, besides: labels).sampleExtents(), moments: false)
    }
    (self.features, self.labels, self.names) = (features, labels, names)
    notes = [Clutter.note(found.flatMap(\.clutter), Clutter.reason)].compactMap(\.self)
  }

  private static func array(_ name: String, _ folder: String, besides other: String) throws -> NPYArray {
    do { return try NPYArray(path: "\(folder)/\(name)") } catch FileError.system(_, _, ENOENT) {
      throw UnfitSample("\(name) is in \(other) and not in \(folder), but they are paired by name")
    }
  }

  var count: Int { names.count }

  func files(_ index: Int) -> [String] { [features, labels].map { "\($0)/\(names[index])" } }

  func name(_ index: Int) -> String { names[index] }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    try Self.array(names[index], features, besides: labels).floats(of: shape, into: values)
    let label = try Self.array(names[index], labels, besides: features)
    guard label.count == 1 else { throw UnfitSample("\(label.count) classes, expected one") }
    return Int(try label.integers()[0])
  }
}

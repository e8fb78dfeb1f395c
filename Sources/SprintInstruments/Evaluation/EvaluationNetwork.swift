import SprintFormats
import SprintKernels
import SprintVision

/// What turns images into the numbers that are compared.
package enum EvaluationNetwork: Sendable {
  /// The numbers of an image are its pixels.
  case pixels
  /// Features of a network.
  case network(any FeatureNetwork)

  /// The most numbers of an image that are compared as they are: a covariance of more takes too long.
  package static let mostPixels = 4096

  /// What to call it, e.g. `inception`.
  package var name: String {
    switch self {
    case .pixels: "pixels"
    case .network(let network): network.name
    }
  }

  /// The SHA-256 of the file of its weights; nil of pixels.
  package var fingerprint: String? {
    switch self {
    case .pixels: nil
    case .network(let network): network.fingerprint
    }
  }

  /// Whether the features are those of FID.
  var isInception: Bool { name.hasPrefix("inception") }
  /// Whether the features are those of FDD.
  var isDINO: Bool { name.hasPrefix("dino") }

  /// Throws if images of these extents cannot be compared.
  func check(_ images: any ImageSet) throws {
    guard case .pixels = self, images.extents.elements > Self.mostPixels else { return }
    throw FileError.unusable(
      path: images.path,
      problem: "images of \(images.extents) are \(images.extents.elements) numbers each, expected at most "
        + "\(Self.mostPixels) to compare pixels", remedy: EvaluationRemedy.useNetwork)
  }

  /// The widths of the three kinds of features of images of these extents.
  func widths(_ extents: ImageExtents, _ workers: Workers) throws -> [Int] {
    switch self {
    case .pixels: [extents.elements, 0, 0]
    case .network(let network):
      try network.features(of: [Picture(width: extents.width, height: extents.height)], workers).widths
    }
  }

  /// Computes all features of some images, one row an image; throws if one is not finite.
  func rows(of images: any ImageSet, _ range: Range<Int>, _ workers: Workers) throws -> [UsableImage<[Float]>] {
    let found = try usable(images, range, workers)
    for (index, image) in zip(range, found) where !(image.content?.allSatisfy(\.isFinite) ?? true) {
      throw FileError.unusable(path: images.path, problem: "image \(index) has features of \(name) that are not finite")
    }
    return found
  }

  private func usable(
    _ images: any ImageSet, _ range: Range<Int>, _ workers: Workers
  ) throws -> [UsableImage<[Float]>] {
    guard case .network(let network) = self else { return try images.pixels(range, workers) }
    let pictures = try images.pictures(range, workers)
    var rows = try network.features(of: pictures.compactMap(\.content), workers).rows[...]
    return pictures.map { $0.map { _ in rows.removeFirst() } }
  }
}

extension ImageFeatures {
  /// The widths of the three kinds of features, 0 for those that the network lacks.
  var widths: [Int] { [pooled.first?.count ?? 0, spatial?.first?.count ?? 0, logits?.first?.count ?? 0] }

  /// All numbers of each image, one kind after another.
  var rows: [[Float]] {
    pooled.indices.map { pooled[$0] + (spatial?[$0] ?? []) + (logits?[$0] ?? []) }
  }

  /// Takes rows apart again.
  init(rows: [[Float]], widths: [Int]) {
    func part(_ index: Int) -> [[Float]]? {
      let start = widths[..<index].reduce(0, +)
      return widths[index] == 0 ? nil : rows.map { Array($0[start..<start + widths[index]]) }
    }
    self.init(pooled: part(0) ?? [], spatial: part(1), logits: part(2))
  }
}

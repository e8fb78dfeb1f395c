import SprintVision

/// What rank zero computes from the features of a set while they arrive.
struct SetFeatures {
  private(set) var pooled: FeatureMoments
  private(set) var spatial: FeatureMoments?
  private(set) var score: InceptionScore?

  /// - Parameter widths: of the three kinds of features
  init(widths: [Int]) {
    pooled = FeatureMoments(features: widths[0])
    spatial = widths[1] > 0 ? FeatureMoments(features: widths[1]) : nil
    score = widths[2] > 0 ? InceptionScore() : nil
  }

  /// Adds the features of the next images.
  mutating func add(_ features: ImageFeatures) {
    pooled.add(features.pooled)
    if let rows = features.spatial { spatial?.add(rows) }
    if let logits = features.logits { score?.add(logits) }
  }
}

extension FeatureTable {
  /// A table for at most `most` of `count` images, spread evenly.
  init(of count: Int, most: Int, features: Int) { self.init(places: min(count, most), features: features) }

  /// Keeps those of the features of some images, of `total`, that have a place in the table.
  mutating func keep(_ rows: [[Float]], of images: [Int], among total: Int) {
    for (image, row) in zip(images, rows) where image * places / total != (image + 1) * places / total { append(row) }
  }
}

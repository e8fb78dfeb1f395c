import Foundation

/// The Inception score exp(mean KL(p(y|x) || p(y))) of images that arrive in order, over splits of 5,000, as ADM's
/// evaluator computes it: the last split may be smaller. T. Salimans et al., Improved Techniques for Training GANs,
/// 2016.
package struct InceptionScore: Sendable {
  /// The images of a split.
  package static let split = 5000

  private var scores: [Double] = []
  private var count = 0
  /// Σ p log p over the images and classes of the split.
  private var negentropy = 0.0
  /// Σ p over the images of the split: [classes].
  private var sums: [Double] = []

  /// No image yet.
  package init() {}

  /// Adds the logits of a batch: [n, classes].
  package mutating func add(_ logits: [[Float]]) {
    for image in logits {
      let p = Self.softmax(image)
      if sums.isEmpty { sums = [Double](repeating: 0, count: p.count) }
      for (y, probability) in p.enumerated() {
        sums[y] += probability
        negentropy += Self.entropyTerm(probability)
      }
      count += 1
      if count == Self.split { endSplit() }
    }
  }

  /// The mean over all splits and its deviation; nil without an image.
  package var result: (mean: Double, deviation: Double)? {
    let all = scores + (count > 0 ? [score] : [])
    guard !all.isEmpty else { return nil }
    let mean = all.reduce(0, +) / Double(all.count)
    let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
    return (mean, variance.squareRoot())
  }

  /// The score of the current split: the mean of KL is the mean of Σ p log p less Σ m log m of the mean m.
  private var score: Double {
    let n = Double(count)
    return exp(negentropy / n - sums.reduce(0) { $0 + Self.entropyTerm($1 / n) })
  }

  private mutating func endSplit() {
    scores.append(score)
    (count, negentropy, sums) = (0, 0, [])
  }

  private static func entropyTerm(_ p: Double) -> Double { p > 0 ? p * log(p) : 0 }

  private static func softmax(_ logits: [Float]) -> [Double] {
    let most = Double(logits.max() ?? 0)
    let powers = logits.map { exp(Double($0) - most) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}

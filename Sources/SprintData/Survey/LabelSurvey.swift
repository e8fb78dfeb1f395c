/// How the samples of a data set are spread over its classes.
package struct LabelSurvey: Sendable {
  /// The number of classes that have samples.
  package let classes: Int
  /// The smallest and the largest label.
  package let first, last: Int
  /// Samples of the smallest and of the largest class.
  package let smallest, largest: Int

  /// Counts all labels.
  package init(_ dataset: LatentDataset) {
    var counts: [Int: Int] = [:]
    for index in 0..<dataset.count { counts[dataset.label(index), default: 0] += 1 }
    classes = counts.count
    (first, last) = (counts.keys.min() ?? 0, counts.keys.max() ?? 0)
    (smallest, largest) = (counts.values.min() ?? 0, counts.values.max() ?? 0)
  }

  /// Classes are far apart where one has this many times the samples of another.
  private static let imbalance = 10

  /// Whether the labels seem to count from 1, while the model counts from 0.
  package var isCountedFromOne: Bool { first == 1 && classes == last }

  /// What is suspicious, one sentence each.
  package var warnings: [String] {
    var warnings: [String] = []
    if first > 0 {
      warnings.append(
        isCountedFromOne
          ? "labels 1 to \(last): the model counts classes from 0; store y - 1"
          : "the smallest label is \(first): do the labels count from 0?")
    }
    if first == 0, classes <= last { warnings.append("\(last + 1 - classes) of \(last + 1) classes have no samples") }
    if largest > Self.imbalance * smallest {
      warnings.append("classes are far apart: from \(smallest) to \(largest) samples")
    }
    return warnings
  }
}

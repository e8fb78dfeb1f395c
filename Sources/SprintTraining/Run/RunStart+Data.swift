import SprintData

// What data sets hold, before anything is trained on them.

extension RunStart {
  /// Samples of each data set that are looked at.
  private static let surveyed = 256

  /// Throws where samples of a data set cannot be trained on, and warns about what is suspicious.
  ///
  /// - Parameter key: the key of the configuration that names the data set
  static func survey(_ dataset: LatentDataset, _ key: String, _ note: (String) -> Void) throws {
    let survey = try DatasetSurvey(dataset, most: surveyed)
    if let problem = survey.problems.first { throw dataset.unusable(problem) }
    for warning in survey.warnings { note("warning: `\(key)`: \(warning)") }
    if LabelSurvey(dataset).isCountedFromOne { note("warning: `\(key)`: no label is 0; do they count from 1?") }
  }

  /// Throws unless the numbers of held-out data mean the same as those of the training data.
  static func check(heldOut: LatentDataset, against training: LatentDataset) throws {
    guard let difference = heldOut.properties.difference(from: training.properties) else { return }
    throw heldOut.unusable(
      "has \(difference), as in the training data; import both in the same way, or correct the attribute")
  }
}

import SprintFormats

/// What a user can do about a key that stands for an option of the command line.
package enum ConfigurationRemedy: Remedy {
  /// Name the folder of the run.
  case nameRun
  /// Continue a run.
  case resume
  /// Name the weights to start from.
  case nameWeights
  /// Start several ranks.
  case startRanks
}

/// A mistake in a configuration: the key, where it stands, and what to do.
package struct ConfigurationError: RemediableError, CustomStringConvertible {
  /// One line.
  package let description: String
  package let remedy: (any Remedy)?

  /// - Parameters:
  ///   - place: the file and line, or the setting, that the key comes from
  ///   - key: the whole key, e.g. `stages[0].steps`
  init(_ place: String, key: String, _ problem: String, remedy: ConfigurationRemedy? = nil) {
    (description, self.remedy) = ("\(place): `\(key)` \(problem)", remedy)
  }

  init(_ description: String) { (self.description, remedy) = (description, nil) }
}

/// What is wrong with a configuration: which key, where, and what to do.
public struct ConfigurationError: Error, CustomStringConvertible {
  /// One line.
  public let description: String

  /// - Parameters:
  ///   - place: the file and line, or the option, that the key comes from
  ///   - key: the whole key, e.g. `stages[0].steps`
  init(_ place: String, key: String, _ problem: String) { description = "\(place): `\(key)` \(problem)" }

  init(_ description: String) { self.description = description }
}

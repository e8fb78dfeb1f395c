/// What is wrong with a configuration: which key, where, and what to do.
package struct ConfigurationError: Error, CustomStringConvertible {
  /// One line.
  package let description: String

  /// - Parameters:
  ///   - place: the file and line, or the option, that the key comes from
  ///   - key: the whole key, e.g. `stages[0].steps`
  init(_ place: String, key: String, _ problem: String) { description = "\(place): `\(key)` \(problem)" }

  init(_ description: String) { self.description = description }
}

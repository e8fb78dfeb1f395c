/// A mistake in a configuration: the key, where it stands, and what to do.
package struct ConfigurationError: Error, CustomStringConvertible {
  /// One line.
  package let description: String

  /// - Parameters:
  ///   - place: the file and line, or the setting, that the key comes from
  ///   - key: the whole key, e.g. `stages[0].steps`
  init(_ place: String, key: String, _ problem: String) { description = "\(place): `\(key)` \(problem)" }

  init(_ description: String) { self.description = description }
}

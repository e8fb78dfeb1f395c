import SprintTraining

extension Configuration {
  /// Makes a configuration with the published network of a size.
  ///
  /// - Parameter rest: further lines of the document
  static func forBench(size: String, latents: String = "none.h5", _ rest: String = "") throws -> Self {
    let text = """
      model: {size: \(size), side: 32, channels: 4, classes: 1000}
      data: {train: ["\(latents)"]}

      """
    return try Configuration(ConfigurationDocument(text: text + rest, source: "bench"))
  }
}

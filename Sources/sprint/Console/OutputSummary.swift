import SprintTraining

/// What `sample` and `decode` say of the output that they have written.
struct OutputSummary: Encodable {
  /// The file or folder, and the latents or weights that its images are of.
  let out, source: String
  /// The number of images, and of those that an interrupted command had left.
  let images, alreadyThere: Int
  /// C and S of an image in the output.
  let channels, side: Int
  /// The autoencoder that decoded them, and the SHA-256 of its weights; nil where there is none.
  let autoencoder, autoencoderSha256: String?
  /// All that the images depend on.
  let origin: String

  init(
    _ out: String, of source: String, images: Int, alreadyThere: Int, _ rendering: SampleRendering,
    _ origin: SampleOrigin
  ) {
    (self.out, self.source, self.images, self.alreadyThere) = (out, source, images, alreadyThere)
    (channels, side) = (rendering.channels, rendering.side)
    (autoencoder, autoencoderSha256) = (rendering.decoder?.name, rendering.decoder?.fingerprint)
    self.origin = origin.text(decoder: rendering.decoder)
  }

  /// Prints one object with --json, and otherwise one line.
  ///
  /// - Parameter noun: what the images are called in the line
  func show(_ form: CommandOutput, _ noun: String) throws {
    if form.json { return try CommandOutput.printJSON(self) }
    Console.line("\(images) \(noun) of \(source): \(out)")
  }
}

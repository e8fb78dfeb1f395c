/// Latents in another project's layout. Several threads read them at once.
protocol LatentSource: Sendable {
  /// The number of samples.
  var count: Int { get }
  /// The shape of every sample, taken from the first ones.
  var shape: SourceShape { get }
  /// Lines about what the source leaves aside, or reads in one of two possible ways.
  var notes: [String] { get }
  /// The names of the classes, in their order; empty if they have none.
  var classNames: [String] { get }
  /// The pictures that the latents were made of, if teachers look at them.
  var pictures: PairedPictures? { get }
  /// Returns the name of a sample for messages.
  func name(_ index: Int) -> String
  /// A text that differs between sources of other samples or classes, as far as that is known without reading them: an
  /// interrupted import only continues with the same text.
  var contents: String { get }
  /// Returns the paths of the files that a sample is read from.
  func files(_ index: Int) -> [String]
  /// Reads a sample as it is stored, and its mirrored twin if `flipped` has room for one; returns the class.
  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
}

extension LatentSource {
  var contents: String { "" }
  var notes: [String] { [] }
  var classNames: [String] { [] }
  var pictures: PairedPictures? { nil }
}

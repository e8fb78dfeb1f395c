import SprintFormats

/// What all samples of a source have in common.
struct SourceShape: Sendable, Equatable {
  /// Channels as they are stored: C of drawn latents, 2 C of moments.
  var stored: Int
  /// S, the side of a latent.
  var side: Int
  /// Whether mean and deviation are stored, from which a latent is drawn.
  var hasMoments: Bool
  /// Whether the mirrored images are there too.
  var hasFlipped = false

  /// Numbers of one sample.
  var elements: Int { stored * side * side }
  /// C of a latent.
  var channels: Int { hasMoments ? stored / 2 : stored }
  /// Extents of one sample.
  var extents: [Int] { [stored, side, side] }

  /// The shape of a sample of these extents, of which leading ones are left out.
  init(_ extents: [Int], moments: Bool, flipped: Bool = false) throws {
    let inner = Array(extents.drop { $0 == 1 })
    guard inner.count == 3, inner[1] == inner[2], !moments || inner[0] % 2 == 0, inner.allSatisfy({ $0 > 0 }) else {
      throw UnfitSample("of shape \(extents), expected \(moments ? "(2C, S, S)" : "(C, S, S)")")
    }
    (stored, side, hasMoments, hasFlipped) = (inner[0], inner[1], moments, flipped)
  }
}

/// What is wrong with a sample; who reads it adds its name.
struct UnfitSample: Error, CustomStringConvertible {
  let description: String

  init(_ problem: String) { description = problem }
}

/// Latents in a layout of somebody else; read from several threads.
protocol LatentSource: Sendable {
  /// How many samples there are.
  var count: Int { get }
  /// What they have in common, known from the first.
  var shape: SourceShape { get }
  /// What messages call a sample.
  func name(_ index: Int) -> String
  /// Reads a sample as it is stored, its mirror image where there is one, and gives its class.
  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
}

extension NPYArray {
  /// The elements of a sample of a known shape, after checking it.
  func floats(of expected: SourceShape, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard Array(shape.drop { $0 == 1 }) == expected.extents else {
      throw UnfitSample("of shape \(shape), the first one has \(expected.extents)")
    }
    try floats(into: values)
  }
}

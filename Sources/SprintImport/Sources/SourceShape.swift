import SprintFormats

/// The shape that all samples of a source share.
struct SourceShape: Sendable, Equatable {
  /// Stored channels: C of drawn latents, 2C of moments.
  var stored: Int
  /// S, the side of a latent.
  var side: Int
  /// Whether the source stores moments, from which latents are drawn.
  var hasMoments: Bool
  /// Whether the source holds latents of the mirrored images too.
  var hasFlipped = false

  /// Numbers of one sample.
  var elements: Int { stored * side * side }
  /// C of a latent.
  var channels: Int { hasMoments ? stored / 2 : stored }
  /// The extents of one sample.
  var extents: [Int] { [stored, side, side] }

  /// Takes the extents of a sample; leading extents of 1 are ignored. Throws unless they are (C, S, S) or (2C, S, S).
  init(_ extents: [Int], moments: Bool, flipped: Bool = false) throws {
    let inner = Array(extents.drop { $0 == 1 })
    guard inner.count == 3, inner[1] == inner[2], !moments || inner[0] % 2 == 0, inner.allSatisfy({ $0 > 0 }) else {
      throw UnfitSample("of shape \(extents), expected \(moments ? "(2C, S, S)" : "(C, S, S)")")
    }
    (stored, side, hasMoments, hasFlipped) = (inner[0], inner[1], moments, flipped)
  }
}

extension NPYArray {
  /// Copies the elements of a sample; throws unless it has the expected shape.
  func floats(of expected: SourceShape, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard Array(shape.drop { $0 == 1 }) == expected.extents else {
      throw UnfitSample("of shape \(shape), the first one has \(expected.extents)")
    }
    try floats(into: values)
  }
}

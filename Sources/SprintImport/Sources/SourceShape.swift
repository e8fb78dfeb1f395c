import SprintFormats

/// The shape that all samples of a source share.
struct SourceShape: Sendable, Hashable {
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

  /// Takes the extents of a sample; extents of 1 before the last three are ignored. Throws unless the rest is (C, S, S)
  /// or (2C, S, S).
  init(_ extents: [Int], moments: Bool, flipped: Bool = false) throws {
    let inner = Self.inner(extents)
    guard inner.count == 3, inner[1] == inner[2], !moments || inner[0] % 2 == 0, inner.allSatisfy({ $0 > 0 }) else {
      throw UnfitSample("of shape \(extents), expected \(moments ? "(2C, S, S)" : "(C, S, S)")")
    }
    (stored, side, hasMoments, hasFlipped) = (inner[0], inner[1], moments, flipped)
  }

  /// Returns extents without those of 1 before the last three.
  static func inner(_ extents: [Int]) -> [Int] {
    let first = extents.firstIndex { $0 != 1 } ?? extents.count
    return Array(extents.dropFirst(min(first, max(0, extents.count - 3))))
  }

  /// Throws unless a sample of these extents has this shape.
  func check(_ found: [Int]) throws {
    guard Self.inner(found) == extents else { throw UnfitSample("of shape \(found), others have \(extents)") }
  }

  private static let samplesToTry = 100
  private static let samplesToCompare = 16

  /// Returns the shape that most of the first readable samples have, as one of them may be broken; throws the first
  /// error if none can be read.
  static func ofMost(
    _ count: Int, in path: String, _ name: (Int) -> String, _ shape: (Int) throws -> SourceShape
  ) throws -> SourceShape {
    var (votes, first): ([(shape: SourceShape, count: Int)], (any Error)?) = ([], nil)
    for index in 0..<min(count, samplesToTry) where votes.reduce(0, { $0 + $1.count }) < samplesToCompare {
      do {
        let found = try shape(index)
        let place = votes.firstIndex { $0.shape == found } ?? votes.count
        if place == votes.count { votes.append((found, 0)) }
        votes[place].count += 1
      } catch {
        first = first ?? FileError.ofSample(name(index), in: path, error)
        guard UnfitSample.isFaultOfOne(error) else { break }
      }
    }
    var best = votes.first
    for vote in votes where vote.count > best?.count ?? 0 { best = vote }
    if let best { return best.shape }
    throw first ?? FileError.unusable(path: path, problem: "names no sample")
  }
}

extension NPYArray {
  /// Returns the extents of a sample; throws if the array is a batch of them.
  func sampleExtents() throws -> [Int] {
    guard shape.count == 4, shape[0] > 1 else { return shape }
    throw UnfitSample(
      "a batch of \(shape[0]) samples of shape \(Array(shape.dropFirst())), expected one in each file, with its class "
        + "in dataset.json or in a file of classes that is split in the same way; split it with Python: import numpy "
        + "as np, os; f = 'FILE.npy'; [np.save(f'{f[:-4]}-{i:06d}.npy', a) for i, a in enumerate(np.load(f))]; "
        + "os.remove(f)")
  }

  /// Copies the elements of a sample; throws unless it has the expected shape.
  func floats(of expected: SourceShape, into values: UnsafeMutableBufferPointer<Float>) throws {
    try expected.check(sampleExtents())
    try floats(into: values)
  }
}

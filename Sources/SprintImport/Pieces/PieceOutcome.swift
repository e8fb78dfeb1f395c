import SprintData
import SprintFormats
import Synchronization

/// What becomes of the samples of a piece, noted by several workers at once.
final class PieceOutcome: Sendable {
  private let piece: ImportPiece
  private let samples: Range<Int>
  private let source: any LatentSource
  private let path: String
  private let failures = FirstFailure()
  private let problems = Mutex([Int: String]())
  private let zeros = Mutex([Int]())

  init(_ piece: ImportPiece, _ samples: Range<Int>, of source: any LatentSource, in path: String) {
    (self.piece, self.samples, self.source, self.path) = (piece, samples, source, path)
  }

  /// Whether a sample that is at `place` in the piece is left out.
  func isLeftOut(_ place: Int) -> Bool { problems.withLock { $0[place] != nil } }

  /// Imports a sample. One that cannot be used is left out; any other error ends the piece, once the samples before it
  /// are through.
  ///
  /// - Parameters:
  ///   - place: of the sample in the piece
  ///   - work: gets the index of the sample; returns whether it holds nothing but zeros
  func attempt(_ place: Int, _ work: (_ sample: Int) throws -> Bool) {
    if failures.isBefore(place) || isLeftOut(place) { return }
    let sample = samples.lowerBound + place
    do {
      if try work(sample) { zeros.withLock { $0.append(sample) } }
    } catch  where UnfitSample.isFaultOfOne(error) {
      piece.leaveOut(place)
      problems.withLock { $0[place] = "sample \(source.name(sample)): \(error)" }
    } catch { failures.note(place, FileError.ofSample(source.name(sample), in: path, error)) }
  }

  /// Throws the error that has ended the piece, if there is one; else returns what is odd about its samples.
  func findings() throws -> SampleFindings {
    try failures.rethrow()
    var findings = SampleFindings(tried: samples.count)
    for (_, problem) in problems.withLock({ $0.sorted { $0.key < $1.key } }) { findings.noteBroken(problem) }
    for sample in zeros.withLock({ $0 }) { findings.noteZero(sample) }
    return findings
  }
}

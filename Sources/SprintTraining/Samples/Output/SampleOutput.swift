import SprintCommunication
import SprintFormats
import SprintKernels

/// An output of images on its way: their records go to a spool as they are made, and once all are there, the file is
/// written from it. Memory does not grow with the number of images, and interrupted work goes on where it was.
package final class SampleOutput {
  /// The number of images that were there at the start.
  package let there: Int
  private let file: SampleFile?
  private let spool: SampleSpool?
  private let rendering: SampleRendering
  private let rounds: SampleRounds
  private let communicator: Communicator

  /// Opens the spool at rank zero. All ranks call it.
  ///
  /// - Parameters:
  ///   - file: the output, at rank zero
  ///   - recipe: a text of all that the images depend on besides the rendering
  package init(
    _ file: SampleFile?, _ rendering: SampleRendering, _ rounds: SampleRounds, recipe: String,
    _ communicator: Communicator
  ) throws {
    (self.file, self.rendering, self.rounds, self.communicator) = (file, rendering, rounds, communicator)
    let decoder = rendering.decoder.map { " \($0.fingerprint)" } ?? ""
    spool = try communicator.agree {
      guard let file else { return nil }
      let spool = try SampleSpool(
        for: file.path, bytes: rendering.bytes, recipe: "\(recipe) \(rendering.record) \(rounds.tile)\(decoder)")
      if spool.isNew { file.removeLeftovers() }
      return spool
    }
    let whole = min(rounds.count, spool.map { $0.count / rounds.tile * rounds.tile } ?? 0)
    let complete = spool.map { $0.count >= rounds.count } == true ? rounds.count : whole
    there = Int(try communicator.broadcast([Double(complete)])[0])
    try communicator.agree { try spool?.keep(there) }
  }

  /// Lines for the user, at rank zero.
  package var warnings: [String] { [spool?.warning, rendering.decoder?.warning].compactMap(\.self) }

  /// The number of images that are there, at rank zero.
  package var count: Int { min(rounds.count, spool?.count ?? 0) }

  /// Makes the images that are not there yet. All ranks call it.
  ///
  /// - Parameters:
  ///   - stopRequested: called once per round; if it returns true at any rank, the work stops
  ///   - report: called at rank zero after each round with the number of images
  ///   - samples: returns a whole tile from an image on
  /// - Returns: whether all images are there
  package func make(
    stopRequested: () -> Bool, report: (Int) -> Void, samples: (_ first: Int) throws -> [Float]
  ) throws -> Bool {
    try removingUnfit {
      try rounds.run(from: there, numbers: rendering.bytes, communicator, stopRequested: stopRequested) { first in
        try rendering.tile(samples(first), first: first, of: rounds.count)
      } deliver: {
        try spool?.append($0)
        report(count)
      }
    }
  }

  /// Writes the file at rank zero and removes the spool. All ranks call it.
  ///
  /// - Returns: whether the file is there; false where a stop was requested at rank zero
  package func write(
    labels: [Int], _ origin: SampleOrigin, _ workers: Workers, stopRequested: () -> Bool, report: (Int) -> Void
  ) throws -> Bool {
    let isWritten = try communicator.agree {
      guard let file, let spool else { return true }
      do {
        try file.write(spool, labels: labels, rendering, origin.text(decoder: rendering.decoder), workers) {
          if stopRequested() { throw Interruption() }
          report($0)
        }
      } catch is Interruption { return false }
      spool.remove()
      return true
    }
    return try !communicator.anyRank(!isWritten)
  }

  private struct Interruption: Error {}

  /// Removes the spool if an image is not finite: making it again would give the same image.
  private func removingUnfit(_ body: () throws -> Bool) throws -> Bool {
    do { return try body() } catch let error as SampleError {
      spool?.remove()
      throw error
    }
  }
}

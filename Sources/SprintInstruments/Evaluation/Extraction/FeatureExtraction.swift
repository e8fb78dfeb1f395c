import SprintCommunication
import SprintFormats
import SprintKernels
import SprintVision

/// Computes the features of a set of images, piece by piece over ranks. Rank zero gets the pieces in the order of the
/// images, so that all numbers are the same bits for any number of ranks.
struct FeatureExtraction {
  /// Images that a rank computes at once.
  static let piece = 32

  let images: any ImageSet
  let network: EvaluationNetwork
  let communicator: Communicator
  let workers: Workers

  /// What becomes of the features: all closures are called at every rank, except `deliver`.
  struct Hooks {
    /// Called once, with the widths of the three kinds of features.
    var begin: (_ widths: [Int]) -> Void
    /// Called at rank zero with the features of images, in their order, and the numbers of the images.
    var deliver: (_ features: ImageFeatures, _ images: [Int]) -> Void
    /// Called with the number of finished images; if it returns false at any rank, the extraction stops.
    var goOn: (_ finished: Int) -> Bool
    /// Called with something worth a line.
    var note: (String) -> Void
  }

  /// Computes all features, or goes on where an interrupted evaluation stopped. All ranks call it.
  ///
  /// - Returns: the spool, to be removed when its features are no longer needed; false if it stopped
  func run(_ hooks: Hooks) throws -> (isDone: Bool, spool: FeatureSpool?) {
    let widths = try communicator.agree { try network.widths(images.extents, workers) }
    hooks.begin(widths)
    let spool = openSpool(widths, hooks.note)
    let kept = Int(try communicator.broadcast([Double((spool?.count ?? 0) / Self.piece * Self.piece)])[0])
    let first = min(kept, images.count / Self.piece * Self.piece)
    try communicator.agree { try deliverKept(first, spool, widths, hooks) }
    _ = hooks.goOn(first)
    for round in stride(from: first, to: images.count, by: Self.piece * communicator.size) {
      try computeRound(round, spool, widths, hooks)
      let finished = min(images.count, round + Self.piece * communicator.size)
      if try communicator.anyRank(!hooks.goOn(finished)), finished < images.count { return (false, spool) }
    }
    return (true, spool)
  }

  private func computeRound(
    _ round: Int, _ spool: FeatureSpool?, _ widths: [Int], _ hooks: Hooks
  ) throws {
    let own = round + communicator.rank * Self.piece
    let found = try communicator.agree {
      own < images.count ? try network.rows(of: images, range(own), workers) : []
    }
    for problem in found.compactMap(\.problem) { hooks.note("left out: \(problem)") }
    let width = widths.reduce(0, +)
    let rows = found.map { $0.content ?? Self.leftOut(width) }
    let padding = [Float](repeating: 0, count: (Self.piece - rows.count) * width)
    let all = try communicator.gather(rows.joined() + padding)
    try communicator.agree {
      for (rank, values) in all.enumerated() where round + rank * Self.piece < images.count {
        let range = range(round + rank * Self.piece)
        let rows = (0..<range.count).map { Array(values[$0 * width..<($0 + 1) * width]) }
        try spool?.append(rows)
        deliver(rows, range, widths, hooks)
      }
    }
  }

  /// The row of an image that is left out: no other row holds a number that is not finite.
  private static func leftOut(_ width: Int) -> [Float] { [Float](repeating: .nan, count: width) }

  private func deliver(_ rows: [[Float]], _ range: Range<Int>, _ widths: [Int], _ hooks: Hooks) {
    let kept = zip(range, rows).filter { $0.1.allSatisfy(\.isFinite) }
    hooks.deliver(ImageFeatures(rows: kept.map(\.1), widths: widths), kept.map(\.0))
  }

  private func range(_ first: Int) -> Range<Int> { first..<min(first + Self.piece, images.count) }

  /// Opens the file beside the images, at rank zero. Pixels are read again faster than from a file.
  private func openSpool(_ widths: [Int], _ note: (String) -> Void) -> FeatureSpool? {
    guard case .network = network, communicator.rank == 0 else { return nil }
    do { return try FeatureSpool(images, network, width: widths.reduce(0, +)) } catch {
      note("features are not kept, so that an interrupted evaluation starts again: \(error)")
      return nil
    }
  }

  private func deliverKept(_ count: Int, _ spool: FeatureSpool?, _ widths: [Int], _ hooks: Hooks) throws {
    guard let spool else { return }
    try spool.keep(count)
    if count > 0 { hooks.note("\(images.path): the features of \(count) of \(images.count) images are there already") }
    for first in stride(from: 0, to: count, by: Self.piece) {
      deliver(try spool.rows(range(first)), range(first), widths, hooks)
    }
  }
}

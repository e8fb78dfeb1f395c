import SprintCommunication
import SprintFormats
import SprintKernels

/// What one side of an evaluation gives: at rank zero everything, at other ranks what all of them need.
struct MeasuredSet {
  /// Nil at other ranks than zero, unless they are of a file.
  let statistics: FeatureStatistics?
  let score: InceptionScore?
  /// The number of images that were rated; nil where the side is statistics alone, and at other ranks than zero.
  let rated: Int?
  /// Nil where the side is statistics alone; empty at other ranks than zero.
  let table: FeatureTable?
  let spool: FeatureSpool?

  /// Takes statistics from a file.
  init(_ statistics: FeatureStatistics) {
    (self.statistics, score, rated, table, spool) = (statistics, nil, nil, nil, nil)
  }

  /// Takes what was computed from images; `statistics` of the file, if it has them, go first.
  ///
  /// - Parameter features: nil at other ranks than zero
  init(
    _ features: SetFeatures?, _ table: FeatureTable, of set: EvaluatedSet, _ network: EvaluationNetwork,
    _ spool: FeatureSpool?
  ) {
    (self.table, self.spool, score, rated) = (table, spool, features?.score, features?.pooled.count)
    statistics =
      set.statistics
      ?? features.map { features in
        let source = FeatureStatistics.Source(
          network: network.name, networkSha256: network.fingerprint, images: features.pooled.count,
          extents: set.extents ?? "", path: set.path, origin: set.origin)
        return FeatureStatistics(
          pooled: features.pooled.gaussian, spatial: features.spatial?.gaussian, source: source)
      }
  }

  /// What an evaluation prints about the side.
  func description(of set: EvaluatedSet) -> EvaluationResult.Side {
    let leftOut = rated.map { (set.images?.count ?? $0) - $0 } ?? 0
    return EvaluationResult.Side(
      path: set.path, images: set.statistics == nil ? rated : set.count, leftOut: leftOut, extents: set.extents,
      origin: set.origin.isEmpty ? nil : set.origin, isStatistics: set.statistics != nil, compared: table?.count ?? 0)
  }
}

/// Computes features and compares them, over ranks.
struct EvaluationEngine {
  let network: EvaluationNetwork
  let communicator: Communicator
  let workers: Workers
  let hooks: Evaluation.Hooks

  /// Computes what one side gives; nil if it was stopped.
  ///
  /// - Parameters:
  ///   - most: the most images that are kept for precision and recall
  ///   - what: what to call its images
  func measure(_ set: EvaluatedSet, most: Int, _ what: String) throws -> MeasuredSet? {
    guard let images = set.images else { return set.statistics.map { MeasuredSet($0) } }
    var features: SetFeatures?
    var table = FeatureTable(places: 0, features: 0)
    let hooks = FeatureExtraction.Hooks(
      begin: { widths in
        table = FeatureTable(of: images.count, most: most, features: widths[0])
        if communicator.rank == 0 { features = SetFeatures(widths: widths) }
      },
      deliver: { found, places in
        features?.add(found)
        table.keep(found.pooled, of: places, among: images.count)
      },
      goOn: { goOn($0, images.count, what) }, note: hooks.note)
    let outcome = try FeatureExtraction(
      images: images, network: network, communicator: communicator, workers: workers
    ).run(hooks)
    guard outcome.isDone else { return nil }
    try communicator.agree { try requireTwo(features, of: images) }
    return MeasuredSet(features, table, of: set, network, outcome.spool)
  }

  private func requireTwo(_ features: SetFeatures?, of images: any ImageSet) throws {
    guard let rated = features?.pooled.count, rated < 2 else { return }
    throw FileError.unusable(
      path: images.path, problem: "\(rated) of \(images.count) images can be used, expected at least two")
  }

  private func goOn(_ done: Int, _ total: Int, _ what: String) -> Bool {
    hooks.report(done, total, what)
    return !hooks.stopRequested()
  }

  /// Computes precision and recall, if both sides are images; false if it was stopped.
  func compare(_ own: MeasuredSet, _ other: MeasuredSet, into result: inout EvaluationResult?) throws -> Bool {
    var (samples, references) = (own.table, other.table)
    try samples?.broadcast(communicator)
    try references?.broadcast(communicator)
    guard let samples, let references, min(samples.count, references.count) > least else {
      result?.omit(["precision", "recall"], reason(own, other))
      return true
    }
    let found = try PrecisionRecall.of(samples, references, communicator, workers) {
      goOn($0, $1, "rows of distances")
    }
    result?.precision = found?.precision
    result?.recall = found?.recall
    return found != nil
  }

  private var least: Int { PrecisionRecall.neighbour }

  private func reason(_ own: MeasuredSet, _ other: MeasuredSet) -> String {
    let isStatistics = own.table == nil || other.table == nil
    return isStatistics
      ? "they compare images, and \(own.table == nil ? "the samples" : "the reference") holds statistics alone"
      : "they take more than \(least) images on each side"
  }
}

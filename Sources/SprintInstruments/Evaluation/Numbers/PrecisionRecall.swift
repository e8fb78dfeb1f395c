import SprintCommunication
import SprintKernels
import Synchronization

/// Precision, the share of samples within the manifold of the reference, and recall, the share of reference images
/// within that of the samples. A manifold is the union of balls about its images that reach to the third nearest
/// neighbour. T. Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, 2019, as
/// ADM's evaluator computes it.
package struct PrecisionRecall: Sendable, Equatable {
  /// The neighbour at whose distance a ball ends.
  package static let neighbour = 3
  /// The most images that are compared, as many as ADM's evaluator gets.
  package static let (mostSamples, mostReferences) = (50_000, 10_000)

  /// Shares from 0 to 1.
  package let precision, recall: Double

  /// Compares two sets, each of more images than `neighbour`; all ranks call it with the same tables.
  ///
  /// - Parameter goOn: called with the finished and all rows of distances; false stops all ranks
  /// - Returns: nil if it was stopped
  package static func of(
    _ samples: FeatureTable, _ references: FeatureTable, _ communicator: Communicator, _ workers: Workers,
    goOn: (_ finished: Int, _ total: Int) -> Bool = { _, _ in true }
  ) throws -> PrecisionRecall? {
    let total = 2 * samples.count + references.count
    guard
      let reach = try radii(references, communicator, workers, { goOn($0, total) }),
      let sampleReach = try radii(samples, communicator, workers, { goOn(references.count + $0, total) })
    else { return nil }
    let hits = Hits(samples: samples.count, references: references.count)
    let isDone = try PairwiseDistances(samples, references).visit(
      communicator, workers, state: { _ in Hits.Found(references: references.count) },
      { row, columns, distances, found in
        var isWithin = false
        for (i, column) in columns.enumerated() {
          if distances[i] <= reach[column] { isWithin = true }
          if distances[i] <= sampleReach[row] { found.references[column] = true }
        }
        if isWithin { found.samples.insert(row) }
      }, finish: { hits.add($1) }, goOn: { goOn(references.count + samples.count + $0, total) })
    return isDone ? try hits.result(communicator) : nil
  }

  /// Returns, at every rank, the squared distance of each image's third nearest neighbour; nil if it was stopped.
  private static func radii(
    _ table: FeatureTable, _ communicator: Communicator, _ workers: Workers, _ goOn: (Int) -> Bool
  ) throws -> [Double]? {
    precondition(table.count > neighbour, "\(table.count) images have no third neighbour")
    let radii = Mutex([Double](repeating: 0, count: table.count))
    let isDone = try PairwiseDistances(table, table).visit(
      communicator, workers, state: { NearestDistances(rows: $0) },
      { row, columns, distances, nearest in
        nearest.add(UnsafeBufferPointer(start: distances, count: columns.count), row: row)
      },
      finish: { rows, nearest in
        radii.withLock { all in for row in rows { all[row] = nearest.largest(row: row) } }
      }, goOn: goOn)
    return isDone ? try communicator.sum(radii.withLock { $0 }) : nil
  }
}

/// The smallest distances of the rows of a block: that of the row itself, which is 0, and those of its neighbours.
private struct NearestDistances {
  private static let kept = PrecisionRecall.neighbour + 1
  private let first: Int
  /// [rows, kept], ascending.
  private var distances: [Double]

  init(rows: Range<Int>) {
    first = rows.lowerBound
    distances = [Double](repeating: .infinity, count: rows.count * Self.kept)
  }

  mutating func add(_ found: UnsafeBufferPointer<Double>, row: Int) {
    let start = (row - first) * Self.kept
    for distance in found where distance < distances[start + Self.kept - 1] {
      var place = start + Self.kept - 1
      while place > start, distances[place - 1] > distance {
        distances[place] = distances[place - 1]
        place -= 1
      }
      distances[place] = distance
    }
  }

  func largest(row: Int) -> Double { distances[(row - first + 1) * Self.kept - 1] }
}

/// The images of both sets that lie within the manifold of the other one.
private final class Hits: Sendable {
  /// What one block finds.
  struct Found {
    var samples: Set<Int> = []
    var references: [Bool]
    init(references: Int) { self.references = [Bool](repeating: false, count: references) }
  }

  private let samples: Int
  private let found: Mutex<(samples: Int, references: [Bool])>

  init(samples: Int, references: Int) {
    self.samples = samples
    found = Mutex((0, [Bool](repeating: false, count: references)))
  }

  func add(_ other: Found) {
    found.withLock { all in
      all.samples += other.samples.count
      for (i, isWithin) in other.references.enumerated() where isWithin { all.references[i] = true }
    }
  }

  func result(_ communicator: Communicator) throws -> PrecisionRecall {
    let own = found.withLock { [Double($0.samples)] + $0.references.map { $0 ? 1 : 0 } }
    let all = try communicator.sum(own)
    let references = all.dropFirst()
    return PrecisionRecall(
      precision: all[0] / Double(samples),
      recall: Double(references.count { $0 > 0 }) / Double(references.count))
  }
}

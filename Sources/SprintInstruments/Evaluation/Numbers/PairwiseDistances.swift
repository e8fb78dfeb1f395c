import SprintCommunication
import SprintKernels

/// Squared distances between all images of two tables in float64, |u|² + |v|² - 2 uv, block by block over workers and
/// ranks. Blocks are the same for any number of ranks and workers, and with them the bits.
struct PairwiseDistances: Sendable {
  /// Rows and columns of a block.
  private static let (blockRows, blockColumns) = (128, 512)

  let rows, columns: FeatureTable
  private let rowNorms, columnNorms: [Double]

  init(_ rows: FeatureTable, _ columns: FeatureTable) {
    (self.rows, self.columns) = (rows, columns)
    (rowNorms, columnNorms) = (rows.squaredNorms, columns.squaredNorms)
  }

  /// Visits this rank's share of the distances. All ranks call it; each image of `rows` is visited at one rank.
  ///
  /// - Parameters:
  ///   - state: makes what a worker keeps of the rows of a block
  ///   - finish: takes what it has kept, with the rows, on the worker's thread
  ///   - goOn: called after each round with the number of rows that all ranks have finished; false stops all ranks
  /// - Returns: whether all rows were visited
  func visit<State>(
    _ communicator: Communicator, _ workers: Workers, state: @Sendable (_ rows: Range<Int>) -> State,
    _ visit: @Sendable @escaping (Int, Range<Int>, UnsafePointer<Double>, inout State) -> Void,
    finish: @Sendable (_ rows: Range<Int>, State) -> Void, goOn: (_ finished: Int) -> Bool
  ) throws -> Bool {
    let blocks = (rows.count + Self.blockRows - 1) / Self.blockRows
    let share = 2 * Int(try communicator.broadcast([Double(workers.count)])[0])
    for first in stride(from: 0, to: blocks, by: share * communicator.size) {
      let own = min(blocks, first + communicator.rank * share)..<min(blocks, first + (communicator.rank + 1) * share)
      workers.run(tasks: own.count) { _, task in
        let range = self.range(ofBlock: own.lowerBound + task)
        var kept = state(range)
        self.visit(range, &kept, visit)
        finish(range, kept)
      }
      let finished = min(rows.count, (first + share * communicator.size) * Self.blockRows)
      if try communicator.anyRank(!goOn(finished)), finished < rows.count { return false }
    }
    return true
  }

  private func range(ofBlock block: Int) -> Range<Int> {
    block * Self.blockRows..<min(rows.count, (block + 1) * Self.blockRows)
  }

  private func visit<State>(
    _ range: Range<Int>, _ state: inout State,
    _ visit: (Int, Range<Int>, UnsafePointer<Double>, inout State) -> Void
  ) {
    let own = rows.rows(range)
    var distances = [Double](repeating: 0, count: range.count * Self.blockColumns)
    for start in stride(from: 0, to: columns.count, by: Self.blockColumns) {
      let others = start..<min(columns.count, start + Self.blockColumns)
      distances.withUnsafeMutableBufferPointer { target in
        compute(range, own, others, into: target)
        guard let base = target.baseAddress else { return }
        for (i, row) in range.enumerated() { visit(row, others, base + i * others.count, &state) }
      }
    }
  }

  /// Computes a block: [range, others]. What is 0 but for rounding becomes 0, so that equal images are equal.
  private func compute(
    _ range: Range<Int>, _ own: [Double], _ others: Range<Int>, into target: UnsafeMutableBufferPointer<Double>
  ) {
    own.withUnsafeBufferPointer { a in
      columns.rows(others).withUnsafeBufferPointer {
        DoubleMatrix.multiply(a, $0, into: target, (range.count, others.count, columns.features))
      }
    }
    var i = 0
    for row in range {
      for column in others {
        let norms = rowNorms[row] + columnNorms[column]
        let distance = norms - 2 * target[i]
        target[i] = distance > Self.rounding * norms ? distance : 0
        i += 1
      }
    }
  }

  /// What rounding makes of a distance of 0, as a share of the norms.
  private static let rounding = 1e-13
}

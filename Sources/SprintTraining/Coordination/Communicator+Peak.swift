import SprintCommunication
import SprintKernels

extension Communicator {
  /// Measures square matrix products of `side` rows on all ranks at the same time; returns the rates of all ranks
  /// together.
  package func measurePeak(_ precision: Precision, _ workers: Workers, side: Int = 1024) throws -> PeakRate {
    try barrier()
    let own = PeakRate.measure(precision, workers: workers, side: side)
    let sums = try sum([own.best, own.median, own.coreShare])
    return PeakRate(best: sums[0], median: sums[1], coreShare: sums[2] / Double(size))
  }
}

import SprintCommunication
import SprintKernels

extension Communicator {
  /// Measures large matrix products on all ranks at the same time; returns the rates of all ranks together.
  func measurePeak(_ precision: Precision, _ workers: Workers) throws -> PeakRate {
    try barrier()
    let own = PeakRate.measure(precision, workers: workers, side: 2048)
    let sums = try sum([own.best, own.median, own.coreShare])
    return PeakRate(best: sums[0], median: sums[1], coreShare: sums[2] / Double(size))
  }
}

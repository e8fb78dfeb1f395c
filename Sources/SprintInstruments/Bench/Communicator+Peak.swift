import SprintCommunication
import SprintKernels

extension Communicator {
  /// Measures large matrix products on all ranks at the same time; returns the FLOP/s of all ranks together.
  func measurePeak(_ precision: Precision, _ workers: Workers) throws -> Double {
    try barrier()
    return try sum([PeakRate.measure(precision, workers: workers, side: 2048)])[0]
  }
}

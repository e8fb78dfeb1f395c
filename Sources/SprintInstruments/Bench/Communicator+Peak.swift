import SprintCommunication
import SprintKernels

extension Communicator {
  /// Measures large matrix products on all ranks at the same time; returns the FLOP/s of all ranks together.
  func measurePeak(_ workers: Workers) throws -> Double {
    try barrier()
    return try sum([BLAS.measurePeak(workers: workers, side: 2048)])[0]
  }
}

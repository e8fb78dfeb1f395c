import SprintTraining
import SprintCommunication
import SprintKernels

/// How fast a rank is at what a step consists of.
package struct MachineRates: Sendable, Encodable {
  /// FLOP/s of a rank in large matrix products, all its threads together.
  package var matrixProducts: Double
  /// Bytes a second that a rank reads and writes.
  package var memory: Double
  /// Bytes a second that a rank sends, and as many received at the same time.
  package var network: Double
  /// Whether `network` was neither measured nor given.
  package var isNetworkAssumed = false

  /// 10 Gbit/s.
  package static let assumedNetwork = 10e9 / 8

  /// Measures what is not given, on all ranks at once. All ranks call it; rank zero's matter.
  ///
  /// - Parameters:
  ///   - matrixProducts: FLOP/s, if given
  ///   - network: bytes a second, if given; measured where there are several ranks
  package init(_ communicator: Communicator, _ workers: Workers, matrixProducts: Double?, network: Double?) throws {
    let ranks = Double(communicator.size)
    // What lasts, not the best moment.
    self.matrixProducts =
      try matrixProducts ?? median((0..<9).map { _ in try communicator.measurePeak(workers) / ranks })
    memory = try communicator.sum([MemoryBandwidth.measure(workers: workers)])[0] / ranks
    if let network {
      self.network = network
    } else if communicator.size > 1 {
      // Each rank sends and receives all shards but its own.
      let result = try ReductionBench(communicator).run(count: 8 << 20, wire: .float32, isSharded: true, rounds: 5)
      self.network = try communicator.broadcast([(result?.bytesPerSecond ?? 0) * (ranks - 1) / ranks])[0]
    } else {
      (self.network, isNetworkAssumed) = (Self.assumedNetwork, true)
    }
  }
}

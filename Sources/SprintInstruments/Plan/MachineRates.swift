import SprintCommunication
import SprintKernels
import SprintTraining

/// The rates at which a rank does the work of a training step.
package struct MachineRates: Sendable, Encodable {
  /// FLOP/s of a rank in large matrix products, of all its threads together.
  package var matrixProducts: Double
  /// How far the median try of its measurement stayed behind the best one, as a share; nil where the rate was given.
  package private(set) var spread: Double?
  /// What disturbed the measurement, if something did.
  package private(set) var disturbance: String?
  /// Bytes per second that a rank reads and writes in memory.
  package var memory: Double
  /// Bytes per second that a rank sends to other ranks while it receives as many.
  package var linkBandwidth: Double
  /// Whether `linkBandwidth` was neither measured nor given.
  package var isLinkAssumed = false

  /// The names in JSON output, which do not follow those of the properties.
  private enum CodingKeys: String, CodingKey {
    case matrixProducts, spread, disturbance, memory
    case linkBandwidth = "network"
    case isLinkAssumed = "isNetworkAssumed"
  }

  /// 10 Gbit/s.
  package static let assumedLinkBandwidth = 10e9 / 8

  /// Measures the rates that are not given, on all ranks at once. All ranks call it; only rank zero's rates count.
  ///
  /// - Parameters:
  ///   - precision: of the products
  ///   - matrixProducts: FLOP/s of a rank, if known
  ///   - memory: bytes per second of a rank, if known
  ///   - linkBandwidth: bytes per second, if known; with several ranks it is measured, with one it is assumed
  package init(
    _ communicator: Communicator, _ workers: Workers, _ precision: Precision = .float32, matrixProducts: Double?,
    memory: Double? = nil, linkBandwidth: Double?
  ) throws {
    let ranks = Double(communicator.size)
    if let matrixProducts {
      self.matrixProducts = matrixProducts
    } else {
      let rate = try Self.undisturbed { try communicator.measurePeak(precision, workers, side: 2048) }
      // A training run lasts, so the median counts and not the best moment.
      (self.matrixProducts, spread, disturbance) = (rate.median / ranks, rate.spread, rate.disturbance)
    }
    self.memory = try memory ?? communicator.sum([MemoryBandwidth.measure(workers: workers)])[0] / ranks
    if let linkBandwidth {
      self.linkBandwidth = linkBandwidth
    } else if communicator.size > 1 {
      // Each rank sends and receives all shards but its own.
      let result = try ReductionBench(communicator).run(count: 8 << 20, wire: .float32, isSharded: true, rounds: 5)
      self.linkBandwidth = try communicator.broadcast([(result?.bytesPerSecond ?? 0) * (ranks - 1) / ranks])[0]
    } else {
      (self.linkBandwidth, isLinkAssumed) = (Self.assumedLinkBandwidth, true)
    }
  }

  /// Measures again while other work disturbs it, five times at most; returns the least disturbed rate. Sums over ranks
  /// are the same at all of them, so all measure equally often.
  private static func undisturbed(_ measure: () throws -> PeakRate) rethrows -> PeakRate {
    var least = try measure()
    for _ in 0..<4 where least.disturbance != nil {
      let again = try measure()
      if again.median > least.median { least = again }
    }
    return least
  }
}

import SprintData
import SprintKernels

/// Measures how fast samples come from latent files in the operating system's cache: read only, and prepared for the
/// model.
package struct DataBench: Sendable {
  /// The result of a bench.
  package struct Result: Sendable, Encodable {
    /// The number of samples and bytes in the files.
    package var samples, bytes: Int
    /// The number of threads that read.
    package var threads: Int
    /// Samples per second that are read at random places, and that are also drawn from their moments, mirrored, scaled
    /// and shifted.
    package var readPerSecond, preparedPerSecond: Double
  }

  private let dataset: LatentDataset
  private let workers: Workers

  /// Prepares a bench of latent files.
  package init(paths: [String], workers: Workers) throws {
    (dataset, self.workers) = (try LatentDataset(paths: paths), workers)
  }

  /// Reads all samples once to fill the cache, then measures `rounds` rounds and returns medians.
  package func run(rounds: Int) throws -> Result {
    _ = try rate { try dataset.readStored($0, into: $1) }
    let read = try (0..<rounds).map { _ in try rate { try dataset.readStored($0, into: $1) } }
    let random = LatentRandomness(seed: 0)
    let prepared = try (0..<rounds).map { _ in
      try rate { try dataset.latent($0, random: random, draw: UInt64($0), into: $1[0..<dataset.latentElements]) }
    }
    return Result(
      samples: dataset.count, bytes: dataset.bytes, threads: workers.count,
      readPerSecond: median(read), preparedPerSecond: median(prepared))
  }

  /// Takes all samples in the order of an epoch and returns the number of samples per second.
  private func rate(_ take: @Sendable (_ index: Int, _ memory: Vector<Float>) throws -> Void) throws -> Double {
    let order = SampleOrder(count: dataset.count, seed: 0)
    let run = 256
    let arena = Arena(count: workers.count * dataset.storedElements)
    let memory = arena.elements.matrix(columns: dataset.storedElements)
    let tasks = (dataset.count + run - 1) / run
    let failures = FirstFailure()
    let elapsed = ContinuousClock().measure {
      workers.run(tasks: tasks) { worker, task in
        for draw in task * run..<min((task + 1) * run, dataset.count) {
          do { try take(order.sample(draw: UInt64(draw)), memory.vector(worker)) } catch {
            return failures.note(draw, error)
          }
        }
      }
    }
    try failures.rethrow()
    return Double(dataset.count) / (elapsed / .seconds(1))
  }
}

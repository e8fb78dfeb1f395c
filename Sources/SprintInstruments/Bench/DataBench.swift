import SprintData
import SprintKernels

/// Measures how fast samples come from latent files that the operating system has in memory: read alone, and as the model sees them.
package struct DataBench: Sendable {
  /// What was measured.
  package struct Result: Sendable, Encodable {
    /// Samples and bytes of the files.
    package var samples, bytes: Int
    /// Threads that read.
    package var threads: Int
    /// Samples a second read at random places, and drawn from their moments, mirrored, scaled and shifted besides.
    package var readPerSecond, preparedPerSecond: Double
  }

  private let dataset: LatentDataset
  private let workers: Workers

  /// A bench of some files.
  package init(paths: [String], workers: Workers) throws {
    (dataset, self.workers) = (try LatentDataset(paths: paths), workers)
  }

  /// Reads all samples once to have them in memory, then so many rounds; medians.
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

  /// Samples a second when all are taken in the order of an epoch.
  private func rate(_ take: @Sendable (_ index: Int, _ memory: Vector) throws -> Void) throws -> Double {
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

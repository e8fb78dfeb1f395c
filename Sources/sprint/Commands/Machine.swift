import ArgumentParser
import Foundation
import SprintKernels

/// `sprint machine`
struct Machine: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the CPU, the kernels that OpenBLAS chose for it, and the rate of matrix products.",
    discussion: "Example: sprint machine --threads 2")

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  private struct Found: Encodable {
    let cpu: String
    let cores: Int
    let openblasCore: String
    let nominalGflopsPerCore, gflops: Double
    let threads: Int
  }

  func run() throws {
    let workers = threading.workers
    let found = Found(
      cpu: CPU.name, cores: ProcessInfo.processInfo.activeProcessorCount, openblasCore: BLAS.core,
      nominalGflopsPerCore: CPU.nominalPeak / 1e9, gflops: BLAS.measurePeak(workers: workers) / 1e9,
      threads: workers.count)
    try output.show(
      found,
      [
        ("cpu:", "\(found.cpu), \(found.cores) cores"), ("openblas core:", found.openblasCore),
        ("nominal peak:", String(format: "%.1f GFLOP/s a core", found.nominalGflopsPerCore)),
        ("matrix products:", String(format: "%.1f GFLOP/s on %d threads", found.gflops, found.threads)),
      ])
  }
}

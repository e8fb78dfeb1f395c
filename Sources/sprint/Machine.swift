import ArgumentParser
import Foundation
import SprintKernels

/// `sprint machine`
struct Machine: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the CPU, the kernels that OpenBLAS chose for it, and the rate of matrix products.",
    discussion: "Example: sprint machine --threads 2")

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    let workers = threading.workers
    Console.line("cpu: \(CPU.name), \(ProcessInfo.processInfo.activeProcessorCount) cores")
    Console.line("openblas core: \(BLAS.core)")
    Console.line(String(format: "nominal peak: %.1f GFLOP/s a core", CPU.nominalPeak / 1e9))
    let peak = BLAS.measurePeak(workers: workers)
    Console.line(String(format: "matrix products: %.1f GFLOP/s on %d threads", peak / 1e9, workers.count))
  }
}

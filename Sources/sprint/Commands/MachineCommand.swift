import ArgumentParser
import Foundation
import SprintKernels

/// `sprint machine`
struct MachineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "machine",
    abstract: "Shows the CPU, the kernels that OpenBLAS uses, and the measured rate of matrix products.",
    discussion: "Example: sprint machine --threads 2")

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  private struct Figures: Encodable {
    let cpu: String
    let cores: Int
    let openblasCore: String
    let nominalGflopsPerCore, gflops: Double
    let threads: Int
  }

  func run() throws {
    Console.printKernelNotice()
    let workers = try threading.workers
    let figures = Figures(
      cpu: CPU.name, cores: ProcessInfo.processInfo.activeProcessorCount, openblasCore: BLAS.core,
      nominalGflopsPerCore: CPU.nominalPeak / 1e9, gflops: BLAS.measurePeak(workers: workers) / 1e9,
      threads: workers.count)
    try output.show(
      figures,
      [
        ("cpu:", "\(figures.cpu), \(figures.cores) cores"), ("openblas core:", figures.openblasCore),
        ("nominal peak:", String(format: "%.1f GFLOP/s a core", figures.nominalGflopsPerCore)),
        ("matrix products:", String(format: "%.1f GFLOP/s on %d threads", figures.gflops, figures.threads)),
      ])
  }
}

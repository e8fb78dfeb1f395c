import ArgumentParser
import Foundation
import SprintKernels

/// `sprint machine`
struct MachineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "machine",
    abstract: "Shows the CPU, the kernels that OpenBLAS uses, and the measured rates of matrix products.",
    discussion: "Example: sprint machine --threads 2")

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  private struct Figures: Encodable {
    let cpu: String
    let cores: Int
    let openblasCore: String
    /// The extensions for bfloat16 products that the CPU has: avx512_bf16, amx_bf16.
    let bfloat16: [String]
    let nominalGflopsPerCore, gflops, bfloat16Gflops: Double
    let threads: Int
  }

  func run() throws {
    Console.printKernelNotice()
    let workers = try threading.workers
    let figures = Figures(
      cpu: CPU.name, cores: ProcessInfo.processInfo.activeProcessorCount, openblasCore: BLAS.core,
      bfloat16: ["avx512_bf16", "amx_bf16"].filter(CPU.flags.contains), nominalGflopsPerCore: CPU.nominalPeak / 1e9,
      gflops: PeakRate.measure(workers: workers, side: 2048) / 1e9,
      bfloat16Gflops: PeakRate.measure(.bfloat16, workers: workers, side: 2048) / 1e9, threads: workers.count)
    let extensions = figures.bfloat16.isEmpty ? "no extension for it" : figures.bfloat16.joined(separator: ", ")
    try output.show(
      figures,
      [
        ("cpu:", "\(figures.cpu), \(figures.cores) cores"), ("openblas core:", figures.openblasCore),
        ("nominal peak:", String(format: "%.1f GFLOP/s a core", figures.nominalGflopsPerCore)),
        ("matrix products:", String(format: "%.1f GFLOP/s on %d threads", figures.gflops, figures.threads)),
        ("in bfloat16:", String(format: "%.1f GFLOP/s, ", figures.bfloat16Gflops) + extensions),
      ])
  }
}

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
    let gflops, bfloat16Gflops: Double
    let threads: Int
    /// What disturbed the measurements, if something did.
    let disturbances: [String]
  }

  func run() throws {
    Console.printKernelNotice()
    let workers = try threading.workers
    let rates = Precision.allCases.map { PeakRate.measure($0, workers: workers, side: 2048) }
    let figures = Figures(
      cpu: CPU.name, cores: ProcessInfo.processInfo.activeProcessorCount, openblasCore: BLAS.core,
      bfloat16: ["avx512_bf16", "amx_bf16"].filter(CPU.flags.contains), gflops: rates[0].best / 1e9,
      bfloat16Gflops: rates[1].best / 1e9, threads: workers.count, disturbances: rates.compactMap(\.disturbance))
    let extensions = figures.bfloat16.isEmpty ? "no extension for it" : figures.bfloat16.joined(separator: ", ")
    try output.show(
      figures,
      [
        ("cpu:", "\(figures.cpu), \(figures.cores) cores"), ("openblas core:", figures.openblasCore),
        (
          "matrix products:",
          String(format: "%.1f GFLOP/s on %d threads", figures.gflops, figures.threads)
            + (rates[0].disturbance.map { ", \($0)" } ?? "")
        ),
        (
          "in bfloat16:",
          String(format: "%.1f GFLOP/s, ", figures.bfloat16Gflops) + extensions
            + (rates[1].disturbance.map { ", \($0)" } ?? "")
        ),
      ])
  }
}

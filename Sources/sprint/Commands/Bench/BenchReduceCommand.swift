import ArgumentParser
import Foundation
import SprintCommunication
import SprintInstruments
import SprintTraining

extension GradientReduction.Wire: ExpressibleByArgument {}

/// `sprint bench reduce`
struct BenchReduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reduce",
    abstract: "Measures the sum of gradients over ranks while they compute nothing else.",
    discussion: "Example: mpirun -np 2 sprint bench reduce --megabytes 526 --wire bf16")

  @Option(help: "Size of the gradients of each rank, in MB; SiT-B has 526.")
  var megabytes: Int = 526

  @Option(help: "Number type on the wire: f32 or bf16.")
  var wire: GradientReduction.Wire = .float32

  @Flag(inversion: .prefixedNo, help: "Whether each rank needs the sums of its own shards only.")
  var sharded = true

  @Option(help: "Number of rounds; the median is shown.")
  var rounds: Int = 9

  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("megabytes", megabytes, 1...100_000)
    try check("rounds", rounds, 1...1000)
  }

  func run() throws {
    let job = try Job()
    try job.communicator.agree { [size = job.communicator.size] in
      guard size > 1 else {
        throw ValidationError("one rank has nothing to reduce; start two or more with mpirun -np 2")
      }
    }
    let result = try ReductionBench(job.communicator).run(
      count: megabytes * 250_000, wire: wire, isSharded: sharded, rounds: rounds)
    Console.printKernelNotice()
    if let result { try show(result) }
    try job.end()
  }

  private func show(_ result: ReductionBench.Result) throws {
    try output.show(
      result,
      [
        ("ranks", "\(result.ranks)"),
        ("gradients", "\(megabytes) MB a rank as \(result.wire)\(result.sharded ? ", each rank its shards" : "")"),
        ("a reduction", String(format: "%.4f s", result.seconds)),
        ("rate", String(format: "%.2f GB of gradients a second", result.bytesPerSecond / 1e9)),
        ("sums", result.isRight ? "right" : "WRONG"),
      ])
  }
}

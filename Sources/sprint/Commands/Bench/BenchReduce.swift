import SprintInstruments
import ArgumentParser
import Foundation
import SprintCommunication
import SprintTraining

extension GradientReduction.Wire: ExpressibleByArgument {}

/// `sprint bench reduce`
struct BenchReduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reduce",
    abstract: "Sums gradients over ranks while nothing else is computed.",
    discussion: "Example: mpirun -np 2 sprint bench reduce --megabytes 526 --wire bf16")

  @Option(help: "Gradients of each rank, in MB; those of SiT-B are 526.")
  var megabytes: Int = 526

  @Option(help: "How summands travel: f32 or bf16.")
  var wire: GradientReduction.Wire = .float32

  @Flag(inversion: .prefixedNo, help: "Whether each rank wants the sums of its own shards alone.")
  var sharded = true

  @Option(help: "How many rounds; the median is shown.")
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
        throw ValidationError("one rank has nothing to reduce; start it with mpirun -np 2 or more")
      }
    }
    let result = try ReductionBench(job.communicator).run(
      count: megabytes * 250_000, wire: wire, isSharded: sharded, rounds: rounds)
    if let result { try show(result) }
    try job.end()
  }

  private func show(_ r: ReductionBench.Result) throws {
    try output.show(
      r,
      [
        ("ranks", "\(r.ranks)"),
        ("gradients", "\(megabytes) MB a rank as \(r.wire)\(r.sharded ? ", each rank its shards" : "")"),
        ("a reduction", String(format: "%.4f s", r.seconds)),
        ("rate", String(format: "%.2f GB of gradients a second", r.bytesPerSecond / 1e9)),
        ("sums", r.isRight ? "right" : "WRONG"),
      ])
  }
}

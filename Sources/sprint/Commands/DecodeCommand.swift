import ArgumentParser
import SprintCommunication
import SprintKernels
import SprintTraining

/// `sprint decode`
struct DecodeCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turns the latents of a data set, or of samples, into images.",
    discussion: """
      If it is interrupted, the same command goes on. Several processes share the work: mpirun -np 4 sprint decode ...
      Of moments it decodes the means.
      Example: sprint decode samples.h5 --autoencoder sd-vae-ft-ema/diffusion_pytorch_model.safetensors --out images.npz
      """)

  @Argument(help: "The latents: samples or a data set (.h5).", transform: nonEmptyPath)
  var latents: String

  @Option(help: "The autoencoder: its weights (.safetensors), or their folder.", transform: nonEmptyPath)
  var autoencoder: String

  @Option(help: "Number of images, from the first one on; without it, all.")
  var count: Int?

  @Option(
    help: """
      What to write: a labelled grid (.png), arr_0 uint8 [n, H, W, 3] and the classes arr_1 (.npz), or numbered \
      pictures (a folder: no ending, or a slash at the end).
      """,
    transform: nonEmptyPath)
  var out: String

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var form: CommandOutput

  func validate() throws {
    if let count { try check("count", count, 1...10_000_000) }
  }

  func run() throws {
    let job = try Job()
    let communicator = job.communicator
    let file = try communicator.agree { communicator.rank == 0 ? try SampleFile(path: out) : nil }
    let workers = try threading.workers
    let source = try communicator.agree { try StoredSamples(path: latents, count: count) }
    let rendering = try self.rendering(file, source, workers, communicator)
    try communicator.agree { try file?.checkSize(labels: source.labels, rendering) }
    let recipe = try communicator.agree { communicator.rank == 0 ? try source.identity : "" }
    let output = try SampleOutput(
      file, rendering, SampleRounds(count: source.count, tile: StoredSamples.tile), recipe: recipe, communicator)
    if communicator.rank == 0 { output.warnings.forEach { Console.error("sprint: \($0)") } }
    if output.there > 0, !form.json { Console.line("\(output.there) of \(source.count) images are there already") }
    Console.printKernelNotice()
    let progress = OutputProgress(output: output, job: job, count: source.count)
    let isDone = try progress.finish(labels: source.labels, source.origin, workers, source.tile)
    try job.end()
    guard isDone else { throw progress.interruption }
    let summary = OutputSummary(
      out, of: latents, images: source.count, alreadyThere: output.there, rendering, source.origin)
    try summary.show(form, "images")
  }

  private func rendering(
    _ file: SampleFile?, _ source: StoredSamples, _ workers: Workers, _ communicator: Communicator
  ) throws -> SampleRendering {
    let record = try communicator.record(of: file)
    return try communicator.agree {
      let decoder = try source.decoder(autoencoder, workers)
      try file?.check(source.properties, channels: source.channels, isDecoded: true)
      return SampleRendering(
        record, channels: source.channels, side: source.side, source.properties, decoder: decoder)
    }
  }
}

extension Communicator {
  /// Returns at every rank what the output of rank zero keeps of an image.
  func record(of file: SampleFile?) throws -> SampleRendering.Record {
    SampleRendering.Record(rawValue: try broadcast(file?.record.rawValue ?? "")) ?? .numbers
  }
}

import ArgumentParser
import Foundation
import SprintImport

extension SourceLayout: ExpressibleByArgument {}
extension SecondHalf: ExpressibleByArgument {}

/// `sprint import`
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Brings latents from another project's files into one data set.",
    discussion: """
      Interrupted, the same command goes on. Several processes share the work: mpirun -np 4 sprint import ...
      Pickles (.pt, webdataset .latent) are not read, since they may run any program; the message says how to convert one.
      Example: sprint import --from repa data/vae-sd data/imagenet256.h5
      """)

  /// Types of stored numbers.
  enum NumberType: String, ExpressibleByArgument, CaseIterable {
    case f16, f32
  }

  @Option(help: "The layout; may be left out where it is unmistakable.")
  var from: SourceLayout?

  @Option(help: "Store float16, which halves the size, or float32, which keeps every bit.")
  var dtype: NumberType = .f16

  @Option(help: "Name of the autoencoder, kept with the data set; the layout's own where left out.")
  var vae: String?

  @Option(
    help:
      "Statistics that the latents are scaled by: mean and std, or latents_bias and latents_scale (.safetensors, .npz)."
  )
  var statistics: String?

  @Option(help: "A factor besides the statistics, e.g. LightningDiT's latent_multiplier.")
  var multiplier: Double = 1

  @Option(
    help:
      "The classes, where the source has no dataset.json: such a .json, a .npy of one whole number a sample, or none.")
  var labels: String?

  @Option(help: "What stands behind the means: std or logvar; the layout's own where left out.")
  var secondHalf: SecondHalf?

  @Option(help: "Number of classes; a label that is not below it is an error.")
  var classes: Int = 1000

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  @Argument(help: "The folder, .zip or .h5 to import.")
  var source: String

  @Argument(help: "The data set to write (.h5).")
  var out: String

  func validate() throws {
    try check("classes", classes, 1...1_000_000)
    guard multiplier.isFinite, multiplier != 0 else {
      throw ValidationError("--multiplier is \(multiplier), expected a finite number other than 0")
    }
    guard multiplier == 1 || statistics != nil else { throw ValidationError("--multiplier needs --statistics") }
    guard out.hasSuffix(".h5") else { throw ValidationError("\(out): data sets are written as .h5") }
  }

  func run() throws {
    let job = try Job()
    let importer = try job.communicator.agree { try LatentImport(source, to: out, options) }
    let bar = ProgressBar()
    let isDone = try importer.run(job.communicator, threading.workers) {
      job.stop.isRequested
    } report: { done, total in
      bar.show(done, of: total, "samples")
    }
    bar.finish()
    try job.end()
    guard isDone else {
      if Console.rank == 0 { Console.error("sprint: interrupted; the same command goes on") }
      throw Console.restart
    }
    try show(importer.summary)
  }

  private var options: LatentImport.Options {
    var options = LatentImport.Options()
    (options.layout, options.isHalf, options.vae) = (from, dtype == .f16, vae)
    (options.statistics, options.multiplier, options.labels) = (statistics, Float(multiplier), labels)
    (options.secondHalf, options.classes) = (secondHalf, classes)
    return options
  }

  private func show(_ s: LatentImport.Summary) throws {
    func list(_ values: [Float]) -> String {
      Set(values).count == 1 ? "\(values[0])" : values.map { "\($0)" }.joined(separator: ", ")
    }
    try output.show(
      s,
      [
        ("data set", "\(out), \(s.samples) samples of \(s.channels) x \(s.side) x \(s.side) from \(s.layout)"),
        (
          "stored",
          "\(s.hasMoments ? "moments" : "drawn latents")\(s.hasFlipped ? ", mirrored images too" : ""), \(dtype)"
        ),
        ("scale", list(s.scale)),
        ("shift", list(s.shift)),
      ])
  }
}

import ArgumentParser
import Foundation
import SprintImport
import SprintVision

extension ImportLayout: ExpressibleByArgument {
  package init?(argument: String) {
    guard let layout = Self.all.first(where: { $0.name == argument }) else { return nil }
    self = layout
  }

  package static var allValueStrings: [String] { all.map(\.name) }
}

extension SecondHalf: ExpressibleByArgument {}

/// `sprint import`
struct ImportCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports pictures, or latents from another project's files, into one data set.",
    discussion: """
      If the import is interrupted, the same command continues it. Several processes share the work: \
      mpirun -np 4 sprint import ...
      sprint does not read pickles (.pt, webdataset .latent), which may run any program; \
      its message says how to convert one.
      Example: sprint import --from repa data/vae-sd data/imagenet256.h5
      Example of pictures: sprint import --from images train data/imagenet256.h5 --side 256 --autoencoder \
      sd-vae-ft-mse --features dinov2-b=dinov2_vitb14.safetensors
      Example of latents beside the folder images of their pictures: sprint import --from speedrun-dit dataset/vae-in \
      data/srdit256.h5 --features dinov2-b=dinov2_vitb14.safetensors
      """)

  /// The types of stored numbers.
  enum NumberType: String, ExpressibleByArgument, CaseIterable {
    case f16, f32
  }

  /// An answer.
  enum YesOrNo: String, ExpressibleByArgument, CaseIterable {
    case yes, no
  }

  @Option(help: "The layout; detected if left out.")
  var from: ImportLayout?

  @Option(help: "Store float16, which halves the size, or float32, which keeps every bit.")
  var dtype: NumberType = .f16

  @Option(help: "Name of the autoencoder, kept in the data set; that of the layout if left out.")
  var vae: String?

  @Option(
    help:
      "Statistics to scale latents by: mean and std, or latents_bias and latents_scale (.safetensors, .npz, .json).",
    transform: nonEmptyPath)
  var statistics: String?

  @Option(
    help:
      "A factor on top of the statistics, e.g. LightningDiT's latent_multiplier; without statistics the scale itself.")
  var multiplier: Double?

  @Option(
    help:
      "The classes, if the source has no dataset.json: such a .json, a .npy with one whole number a sample, or none.",
    transform: nonEmptyPath)
  var labels: String?

  @Option(help: "What follows the means: std or logvar; as the layout has it if left out.")
  var secondHalf: SecondHalf?

  @Option(
    help: "Whether half of the images that maskdit's `length` counts are mirrored ones; found out if left out.")
  var mirrored: YesOrNo?

  @Option(help: "Of pictures: the pixels of a side to which they are cropped and resized.")
  var side: Int?

  @Option(
    help:
      "Of pictures: the autoencoder that encodes them (safetensors, or a folder with them); pixels are stored without.",
    transform: nonEmptyPath)
  var autoencoder: String?

  @Flag(help: "Of pictures: encode the mirrored images too, and show them to the teachers.")
  var flip = false

  @Option(
    help: ArgumentHelp(
      "Of pictures, also those in the folder images beside latents of repa, edm2 and speedrun-dit: also store the "
        + "features and the class token that DINOv2 has of them, under a name: dinov2-b=dinov2_vitb14.safetensors. "
        + "May be repeated.", valueName: "name=weights"))
  var features: [String] = []

  @Option(
    help: ArgumentHelp(
      "Of the same pictures: also store the attention of DINOv2's last four blocks, under a name. May be repeated.",
      valueName: "name=weights"))
  var attention: [String] = []

  @Option(
    help: "Of the same pictures: tokens along a side of what the teachers see; 16 for each 256 pixels if left out.")
  var tokens: Int?

  @Flag(help: "Of pictures: leave them as they are stored, without turning them upright as their EXIF data say.")
  var asStored = false

  @Flag(help: "Leave out samples that cannot be used, and say which.")
  var skipBroken = false

  @Option(help: "Number of classes; a label outside 0 to classes - 1 is an error.")
  var classes: Int = 1000

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  @Argument(
    help: "The folder, .zip or .h5 to import; a folder of pictures has one folder a class.", transform: nonEmptyPath)
  var source: String

  @Argument(help: "The data set to write (.h5).", transform: nonEmptyPath)
  var out: String

  func validate() throws {
    try check("classes", classes, 1...1_000_000)
    if let side { try check("side", side, 1...8192) }
    if let tokens { try check("tokens", tokens, 1...256) }
    _ = try teachers
    if let multiplier, !Float(multiplier).isFinite || Float(multiplier) == 0 {
      throw ValidationError("--multiplier is \(multiplier), expected a finite number other than 0")
    }
    guard out.hasSuffix(".h5") else { throw ValidationError("\(out): expected a name that ends in .h5") }
  }

  func run() throws {
    let job = try Job()
    let importer = try job.communicator.agree { try LatentImport(source, to: out, options()) }
    let bar = ProgressBar()
    let summary = try importer.run(job.communicator, threading.workers) {
      job.stop.isRequested
    } report: { done, total in
      bar.show(done, of: total, "samples")
    } note: {
      Console.error("sprint: \($0)")
    }
    bar.finish()
    try job.end()
    guard let summary else {
      if Console.rank == 0 { Console.error("sprint: interrupted; the same command continues the import") }
      throw Console.restart
    }
    try show(summary)
  }

  private var teachers: [TeacherRequest] {
    get throws {
      do { return try TeacherRequest.all(features: features, attention: attention) } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  private func options() throws -> LatentImport.Options {
    var options = LatentImport.Options()
    (options.layout, options.isHalf, options.vae) = (from, dtype == .f16, vae)
    (options.statistics, options.multiplier, options.labels) = (statistics, multiplier.map { Float($0) }, labels)
    (options.secondHalf, options.classes) = (secondHalf, classes)
    (options.isMirrored, options.skipsBroken) = (mirrored.map { $0 == .yes }, skipBroken)
    (options.images.side, options.images.flips, options.images.isUpright) = (side, flip, !asStored)
    (options.teachers, options.images.tokens) = (try teachers, tokens)
    options.encoder = try autoencoder.map { NamedEncoder(try Autoencoder(path: $0, parts: [.encoder]), path: $0) }
    return options
  }

  private func show(_ summary: LatentImport.Summary) throws {
    func list(_ values: [Float]) -> String {
      Set(values).count == 1 ? "\(values[0])" : values.map { "\($0)" }.joined(separator: ", ")
    }
    let shape = "\(summary.channels) x \(summary.side) x \(summary.side)"
    let kind = summary.hasMoments ? "moments" : summary.kind == "pixels" ? "pixels" : "drawn latents"
    try output.show(
      summary,
      [
        ("data set", "\(out), \(summary.samples) samples of \(shape) from \(summary.layout)"),
        ("stored", "\(kind)\(summary.hasFlipped ? ", mirrored images too" : ""), \(dtype)"),
      ] + (summary.teachers.isEmpty ? [] : [("teachers", summary.teachers.joined(separator: ", "))]) + [
        ("scale", list(summary.scale)),
        ("shift", list(summary.shift)),
      ])
  }
}

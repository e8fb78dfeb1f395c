import ArgumentParser
import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel
import SprintTraining

extension WeightsSource.Choice: ExpressibleByArgument {}
extension SamplingMethod: ExpressibleByArgument {}
extension Guidance.Kind: ExpressibleByArgument {}

/// `sprint sample`
struct SampleCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draws samples from a trained network.",
    discussion: "Example: sprint sample --run runs/digits --count 100 --guidance pdg --scale 2 --out samples.png")

  @OptionGroup var origin: CheckpointOptions

  @Option(
    name: .customLong("safetensors"),
    help: "A safetensors file of weights, exported or published, or the index of its shards, instead of --run.",
    transform: nonEmptyPath)
  var weightsFile: String?

  @Option(
    help: "The configuration of the network in --safetensors; not needed for files that sprint exported.",
    transform: nonEmptyPath)
  var config: String?

  @OptionGroup var names: AllowanceOptions

  @Option(
    help: """
      Which weights of a checkpoint, or of a file with several: ema (the moving average) or model (the weights that \
      training updates).
      """)
  var weights: WeightsSource.Choice = .ema

  @Option(help: "Number of images.")
  var count: Int = 100

  @Option(
    help: """
      The classes of the images: balanced (the i-th class for image i, over and over), random, or a text file of class \
      numbers.
      """,
    transform: { SampleLabels(try nonEmptyPath($0)) })
  var labels: SampleLabels?

  @Option(help: "published: the sampler (sde), steps (250) and labels (random) of SPRINT's evaluation.")
  var preset: SamplePreset?

  @Option(help: "Classes, separated by commas; without it, all.")
  var classes: String?

  @Option(help: "ode (Euler), heun or sde (Euler-Maruyama); ode unless a preset says otherwise.")
  var sampler: SamplingMethod?

  @Option(help: "Sampling steps, 25 unless a preset says otherwise; heun evaluates the network twice in a step.")
  var steps: Int?

  @Option(help: "none, cfg (classifier-free) or pdg (path-drop).")
  var guidance: Guidance.Kind = .none

  @Option(help: "Guidance scale, 1.5 unless given; 1 or less means no guidance.")
  var scale: Double?

  @Option(help: "The first and the last time at which guidance acts, e.g. 0,0.7; 0,1 unless given.")
  var interval: String?

  @Option(help: "Guidance scale of the class token, if the model has one; --scale unless given, 1 for none.")
  var classTokenScale: Double?

  @Flag(help: "Keeps the class in the weak branch of path-drop guidance.")
  var keepClass = false

  @Option(help: "The number format of the products: float32, or bfloat16, which is faster on CPUs with avx512_bf16.")
  var precision: Precision = .float32

  @Option(help: "Seed; image i of a seed does not depend on --count.")
  var seed: UInt64 = 0

  @Option(
    help: "The autoencoder that turns latents into images: its weights (.safetensors), or their folder.",
    transform: nonEmptyPath)
  var decode: String?

  @Option(
    help: """
      What to write: a labelled grid (.png), arr_0 uint8 [n, H, W, C] and the classes arr_1 (.npz), /latents and \
      /labels (.h5), or numbered pictures (a folder: no ending, or a slash at the end).
      """,
    transform: nonEmptyPath)
  var out: String

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var form: CommandOutput

  func validate() throws {
    guard origin.isGiven != (weightsFile != nil) else {
      throw ValidationError("give one of --run, --checkpoint and --safetensors")
    }
    guard weightsFile != nil || config == nil && !names.isGiven else {
      throw ValidationError("--config and --allow-... need --safetensors")
    }
    try check("count", count, 1...10_000_000)
    try check("steps", chosenSteps, method.fewestSteps...100_000)
    try checkGuidance()
  }

  /// Throws for an option of guidance that would have no effect.
  private func checkGuidance() throws {
    guard scale?.isFinite ?? true else {
      throw ValidationError("--scale is \(scale ?? 0), expected a finite number")
    }
    _ = try times()
    guard classTokenScale?.isFinite ?? true else {
      throw ValidationError("--class-token-scale is \(classTokenScale ?? 0), expected a finite number")
    }
    let given = [
      ("--scale", scale != nil), ("--class-token-scale", classTokenScale != nil), ("--interval", interval != nil),
      ("--keep-class", keepClass),
    ]
    if guidance == .none, let name = given.first(where: \.1)?.0 {
      throw ValidationError("\(name) has no effect without guidance; use --guidance cfg or --guidance pdg with it")
    }
    guard guidance == .pathDrop || !keepClass else {
      throw ValidationError("--keep-class has an effect on --guidance pdg alone; leave it out")
    }
  }

  func run() throws {
    let job = try Job()
    let communicator = job.communicator
    let file = try communicator.agree { communicator.rank == 0 ? try SampleFile(path: out) : nil }
    let workers = try threading.workers
    let trained = try TrainedModel(opened, workers: workers, communicator)
    let model = trained.configuration.model
    let rendering = try self.rendering(file, trained, workers, communicator)
    let labels = try communicator.agree { try chosenLabels(model) }
    try communicator.agree { try file?.checkSize(labels: labels, rendering) }
    let settings = try communicator.agree { try self.settings(trained.configuration) }
    let generator = trained.generator(settings, precision: precision, seed: seed)
    let recipe = try communicator.agree { try trained.source.map { try self.recipe(settings, $0, model) } ?? "" }
    let output = try SampleOutput(
      file, rendering, SampleRounds(count: count, tile: generator.tile), recipe: recipe, communicator)
    if communicator.rank == 0 { warn(trained, settings, output) }
    announce(output, generator, communicator)
    let progress = OutputProgress(output: output, job: job, count: count)
    let drawn = origin(settings, trained)
    let isDone = try progress.finish(labels: labels, drawn, workers, generator.tiles(of: labels))
    try job.end()
    guard isDone else { throw progress.interruption }
    let summary = OutputSummary(
      out, of: trained.source?.origin ?? "", images: count, alreadyThere: output.there, rendering, drawn)
    try summary.show(form, "samples")
  }

  /// Opens the autoencoder at every rank, and checks that the output can hold the samples.
  private func rendering(
    _ file: SampleFile?, _ trained: TrainedModel, _ workers: Workers, _ communicator: Communicator
  ) throws -> SampleRendering {
    let model = trained.configuration.model
    let properties = try trained.properties(communicator)
    let record = try communicator.record(of: file)
    return try communicator.agree {
      try file?.check(properties, channels: model.channels, isDecoded: decode != nil)
      let decoder = try decode.map {
        try LatentDecoder(
          path: $0, channels: model.channels, side: model.side, properties, in: .model, of: "the model", workers)
      }
      return SampleRendering(record, channels: model.channels, side: model.side, properties, decoder: decoder)
    }
  }

  /// Says what is there already, and which kernels draw the rest for how long.
  private func announce(_ output: SampleOutput, _ generator: SampleGenerator, _ communicator: Communicator) {
    if output.there > 0, !form.json { Console.line("\(output.there) of \(count) images are there already") }
    Console.printKernelNotice()
    if let notice = precision.notice(), communicator.rank == 0 { Console.error("sprint: \(notice)") }
    if !form.json { announce(generator, images: count - output.there, communicator) }
  }

  /// Says how long drawing takes, if that is more than a minute.
  private func announce(_ generator: SampleGenerator, images: Int, _ communicator: Communicator) {
    guard let seconds = generator.expectedSeconds(images: images, ranks: communicator.size), seconds >= 60,
      communicator.rank == 0
    else { return }
    Console.line("\(images) images will take about \(duration(seconds))")
  }

  private func opened() throws -> WeightsSource {
    guard let weightsFile else { return try WeightsSource(origin.opened(), weights) }
    return try WeightsSource(WeightsFile(path: weightsFile), weights, configuration: config, names.allowance)
  }

  private func settings(_ configuration: Configuration) throws -> SamplerSettings {
    if let need = guidance.unmetNeed(in: configuration.model) {
      throw ValidationError("--guidance \(guidance.rawValue) needs \(need)")
    }
    return SamplerSettings(
      method: method, steps: chosenSteps,
      guidance: Guidance(
        guidance, scale: scale ?? 1.5, interval: try times(), keepsClass: keepClass, classTokenScale: classTokenScale),
      interpolant: configuration.interpolant, timeShift: configuration.timeShift)
  }

  private var method: SamplingMethod { sampler ?? preset?.sampler ?? .ode }
  private var chosenSteps: Int { steps ?? preset?.steps ?? 25 }
  private var labelling: SampleLabels { labels ?? preset?.labels ?? .balanced }

  private func chosenLabels(_ model: ModelConfiguration) throws -> [Int] {
    try labelling.labels(count, of: try chosenClasses(of: model), seed: seed)
  }

  private func warn(_ trained: TrainedModel, _ settings: SamplerSettings, _ output: SampleOutput) {
    let average = trained.source?.warning.map { "\($0); try --weights model" }
    let untrained = trained.configuration.warning(about: settings.guidance, begun: trained.source?.stagesBegun)
    let others = [trained.source?.notice, average, untrained].compactMap(\.self)
    for warning in output.warnings + trained.notices + others {
      Console.error("sprint: \(warning)")
    }
  }

  /// A text of all that the samples depend on.
  private func recipe(_ settings: SamplerSettings, _ source: WeightsSource, _ model: ModelConfiguration) throws
    -> String
  {
    let classes = "\(try chosenClasses(of: model)) \(try labelling.identity)"
    return "\(source.identity) \(settings) \(precision) \(seed) \(classes)"
  }

  /// What the file says that the samples depend on.
  private func origin(_ settings: SamplerSettings, _ trained: TrainedModel) -> SampleOrigin {
    let chosen = classes.map { $0.count < 100 ? $0 : "\($0.prefix(100))..." } ?? "all"
    return SampleOrigin(
      settings, precision, seed: seed, labels: "\(chosen), \(labelling)",
      weights: trained.source.map { "\($0.origin), sha256 \($0.identity)" } ?? "")
  }

  private func times() throws -> ClosedRange<Double> {
    let interval = interval ?? "0,1"
    let numbers = interval.split(separator: ",").map { Double($0) ?? .nan }
    guard numbers.count == 2, 0 <= numbers[0], numbers[0] <= numbers[1], numbers[1] <= 1 else {
      throw ValidationError("--interval is `\(interval)`, expected two ascending times from 0 to 1, e.g. 0,0.7")
    }
    return numbers[0]...numbers[1]
  }

  private func chosenClasses(of model: ModelConfiguration) throws -> [Int] {
    guard let classes else { return Array(model.labels) }
    guard model.classes > 0 else {
      throw ValidationError("--classes is `\(classes)`, but the model has no classes; leave it out")
    }
    let chosen = classes.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    guard !chosen.isEmpty, chosen.allSatisfy(model.labels.contains) else {
      throw ValidationError(
        "--classes is `\(classes)`, expected numbers from 0 to \(model.classes - 1) separated by commas")
    }
    return chosen
  }
}

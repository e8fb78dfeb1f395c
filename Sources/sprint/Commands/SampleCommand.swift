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

  @Flag(help: "Keeps the class in the weak branch of path-drop guidance.")
  var keepClass = false

  @Option(help: "The number format of the products: float32, or bfloat16, which is faster on CPUs with avx512_bf16.")
  var precision: Precision = .float32

  @Option(help: "Seed; image i of a seed does not depend on --count.")
  var seed: UInt64 = 0

  @Option(
    help: "The file to write: a labelled grid (.png), arr_0 uint8 [n, H, W, C] (.npz), or /latents and /labels (.h5).",
    transform: nonEmptyPath)
  var out: String

  @OptionGroup var threading: ThreadOptions

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
    let given = [("--scale", scale != nil), ("--interval", interval != nil), ("--keep-class", keepClass)]
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
    let trained = try TrainedModel(opened, workers: threading.workers, communicator)
    let model = trained.configuration.model
    try communicator.agree { if let source = trained.source { try file?.check(source.properties) } }
    let labels = try communicator.agree { try chosenLabels(model) }
    let settings = try communicator.agree { try self.settings(trained.configuration) }
    let spool = try communicator.agree { () throws -> SampleSpool? in
      guard let source = trained.source else { return nil }
      return try self.spool(settings, source, model)
    }
    if communicator.rank == 0 { warn(trained, settings, spool) }
    let isDone = try draw(labels, trained.generator(settings, precision: precision, seed: seed), spool, job)
    try communicator.agree {
      guard isDone, let file, let spool, let source = trained.source else { return }
      try Self.removing(spool) {
        try file.write(try spool.images(count), labels: labels, model, source.properties, precision)
      }
      spool.remove()
      Console.line("\(count) samples of \(source.origin): \(out)")
    }
    try job.end()
    guard isDone else {
      if let spool {
        Console.error(
          "sprint: interrupted after \(spool.count) of \(count) images; run the same command again to go on")
      }
      throw Console.restart
    }
  }

  /// Draws the images that the spool of rank zero lacks. Returns false if a signal stopped it.
  private func draw(_ labels: [Int], _ generator: SampleGenerator, _ spool: SampleSpool?, _ job: Job) throws -> Bool {
    let communicator = job.communicator
    let there = min(count, spool.map { $0.count / generator.tile * generator.tile } ?? 0)
    let first = Int(try communicator.broadcast([Double(there)])[0])
    try communicator.agree { try spool?.keep(first) }
    if first > 0 { Console.line("\(first) of \(count) images are there already") }
    Console.printKernelNotice()
    if let notice = precision.notice(), communicator.rank == 0 { Console.error("sprint: \(notice)") }
    announce(generator, images: count - first, communicator)
    let isDone = try generator.draw(labels: labels, from: first, communicator) {
      job.stop.isRequested
    } deliver: {
      let images = $0
      try Self.removing(spool) { try spool?.append(images) }
      if Console.isTerminal { Console.status("\(min(count, spool?.count ?? 0)) of \(count) images") }
    }
    if Console.isTerminal { Console.status("") }
    return isDone
  }

  /// Says how long drawing takes, if that is more than a minute.
  private func announce(_ generator: SampleGenerator, images: Int, _ communicator: Communicator) {
    guard let seconds = generator.expectedSeconds(images: images, ranks: communicator.size), seconds >= 60,
      communicator.rank == 0
    else { return }
    Console.line("\(images) images will take about \(duration(seconds))")
  }

  /// Removes the spool if an image is not finite: drawing it again would give the same image.
  private static func removing(_ spool: SampleSpool?, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as SampleError {
      spool?.remove()
      throw error
    }
  }

  private func opened() throws -> WeightsSource {
    guard let weightsFile else { return try WeightsSource(origin.opened(), weights) }
    return try WeightsSource(WeightsFile(path: weightsFile), weights, configuration: config, names.allowance)
  }

  private func settings(_ configuration: Configuration) throws -> SamplerSettings {
    if guidance == .pathDrop, configuration.model.fusion == .none {
      throw ValidationError("--guidance pdg needs a model with two paths; this one has `fusion: none`")
    }
    return SamplerSettings(
      method: method, steps: chosenSteps,
      guidance: Guidance(guidance, scale: scale ?? 1.5, interval: try times(), keepsClass: keepClass),
      interpolant: configuration.interpolant)
  }

  private var method: SamplingMethod { sampler ?? preset?.sampler ?? .ode }
  private var chosenSteps: Int { steps ?? preset?.steps ?? 25 }
  private var labelling: SampleLabels { labels ?? preset?.labels ?? .balanced }

  private func chosenLabels(_ model: ModelConfiguration) throws -> [Int] {
    try labelling.labels(count, of: try chosenClasses(of: model.classes), seed: seed)
  }

  private func warn(_ trained: TrainedModel, _ settings: SamplerSettings, _ spool: SampleSpool?) {
    let average = trained.source?.warning.map { "\($0); try --weights model" }
    let untrained = trained.configuration.warning(about: settings.guidance, begun: trained.source?.stagesBegun)
    for warning in [spool?.warning, trained.source?.notice, trained.notice, average, untrained] {
      if let warning { Console.error("sprint: \(warning)") }
    }
  }

  /// Opens the images that an interrupted command with the same weights, settings and classes left, or starts an empty
  /// spool.
  private func spool(
    _ settings: SamplerSettings, _ source: WeightsSource, _ model: ModelConfiguration
  ) throws -> SampleSpool {
    let classes = "\(try chosenClasses(of: model.classes)) \(try labelling.identity)"
    return try SampleSpool(
      for: out, elements: model.latentElements,
      recipe: "\(source.identity) \(settings) \(precision) \(seed) \(classes)")
  }

  private func times() throws -> ClosedRange<Double> {
    let interval = interval ?? "0,1"
    let numbers = interval.split(separator: ",").map { Double($0) ?? .nan }
    guard numbers.count == 2, 0 <= numbers[0], numbers[0] <= numbers[1], numbers[1] <= 1 else {
      throw ValidationError("--interval is `\(interval)`, expected two ascending times from 0 to 1, e.g. 0,0.7")
    }
    return numbers[0]...numbers[1]
  }

  private func chosenClasses(of count: Int) throws -> [Int] {
    guard let classes else { return Array(0..<count) }
    let chosen = classes.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    guard !chosen.isEmpty, chosen.allSatisfy({ (0..<count).contains($0) }) else {
      throw ValidationError("--classes is `\(classes)`, expected numbers from 0 to \(count - 1) separated by commas")
    }
    return chosen
  }
}

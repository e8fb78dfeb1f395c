import ArgumentParser
import SprintDiffusion
import SprintTraining

extension TrainedModel.Weights: ExpressibleByArgument {}
extension SamplerSettings.Method: ExpressibleByArgument {}
extension Guidance.Kind: ExpressibleByArgument {}

/// `sprint sample`
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws samples from a trained network.",
    discussion: "Example: sprint sample --run runs/digits --count 100 --guidance pdg --scale 2 --out samples.png")

  @Option(name: .customLong("run"), help: "The folder of a run; its newest checkpoint is used.")
  var folder: String?

  @Option(help: "A checkpoint's file, instead of --run.")
  var checkpoint: String?

  @Option(help: "The moving average (ema) or the weights in training (model).")
  var weights: TrainedModel.Weights = .ema

  @Option(help: "How many images; image i has class i modulo the number of classes.")
  var count: Int = 100

  @Option(help: "Classes, separated by commas; all where left out.")
  var classes: String?

  @Option(help: "ode (Euler) or sde (Euler-Maruyama).")
  var sampler: SamplerSettings.Method = .ode

  @Option(help: "Sampling steps.")
  var steps: Int = 25

  @Option(help: "none, cfg (classifier-free) or pdg (path-drop).")
  var guidance: Guidance.Kind = .none

  @Option(help: "The guidance scale; at 1 or below there is no guidance.")
  var scale: Double = 1.5

  @Option(help: "Times between which guidance acts, e.g. 0,0.7.")
  var interval: String = "0,1"

  @Flag(help: "Path-drop guidance's weak branch keeps the class.")
  var keepClass = false

  @Option(help: "Seed; image i of a seed is the same whatever --count is.")
  var seed: UInt64 = 0

  @Option(
    help: "Where to write: a labelled grid (.png), arr_0 uint8 [n, H, W, C] (.npz), or /latents and /labels (.h5).")
  var out: String

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    guard (folder == nil) != (checkpoint == nil) else { throw ValidationError("give either --run or --checkpoint") }
    guard count >= 1 else { throw ValidationError("--count is \(count), expected at least 1") }
    let fewest = sampler == .sde ? 2 : 1
    guard (fewest...100_000).contains(steps) else {
      throw ValidationError("--steps is \(steps), expected \(fewest) to 100000")
    }
    guard scale.isFinite else { throw ValidationError("--scale has to be a finite number") }
    _ = try times()
  }

  func run() throws {
    let file = try SampleFile(path: out)
    let trained =
      if let folder { try TrainedModel(run: folder, weights: weights, workers: threading.workers) } else {
        try TrainedModel(Checkpoint(path: checkpoint ?? ""), weights: weights, workers: threading.workers)
      }
    let model = trained.configuration.model
    if guidance == .pathDrop, model.fusion == .none {
      throw ValidationError("--guidance pdg needs a model whose fusion joins two paths; this one has fusion none")
    }
    let chosen = try chosenClasses(of: model.classes)
    let labels = (0..<count).map { chosen[$0 % chosen.count] }
    let settings = SamplerSettings(
      method: sampler, steps: steps,
      guidance: Guidance(guidance, scale: scale, interval: try times(), keepsClass: keepClass),
      interpolant: trained.configuration.interpolant)
    let samples = trained.generator(settings, seed: seed).samples(labels: labels) { done in
      if Console.isTerminal { Console.status("\(done) of \(count) images") }
      return true
    }
    if Console.isTerminal { Console.status("") }
    try file.write(samples, labels: labels, model, trained.properties)
    Console.line("\(count) samples of step \(trained.position.step): \(out)")
  }

  private func times() throws -> ClosedRange<Double> {
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

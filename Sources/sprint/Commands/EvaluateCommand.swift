import ArgumentParser
import Foundation
import SprintInstruments

/// `sprint evaluate`
struct EvaluateCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Compares images with reference images: FID, sFID, Inception score, precision, recall, FDD.",
    discussion: """
      SAMPLES and REFERENCE are folders of PNG and JPEG pictures, .npz files (arr_0 uint8 [n, H, W, C], or statistics \
      mu and sigma), or .h5 data sets of pixels. An interrupted evaluation goes on with the same command. Several \
      processes share the work: mpirun -np 4 sprint evaluate ...
      Example: sprint evaluate samples.npz --reference VIRTUAL_imagenet256_labeled.npz --network \
      inception=inception.safetensors
      """)

  @Option(help: "What is compared with: a folder, .npz or .h5.", transform: nonEmptyPath)
  var reference: String?

  @Option(help: "What turns images into numbers: \(EvaluationNetwork.Choice.expected).", transform: chosenNetwork)
  var network: EvaluationNetwork.Choice

  @Option(
    help: "Also write the statistics of SAMPLES (.npz), which can be a later --reference.", transform: nonEmptyPath)
  var save: String?

  @Option(help: "Of folders: the pixels of a side to which pictures are cropped and resized, as sprint import does.")
  var side: Int?

  @Flag(help: "Of folders: leave out pictures that cannot be used, and say which.")
  var skipBroken = false

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  @Argument(help: "The images: a folder, .npz or .h5.", transform: nonEmptyPath)
  var samples: String

  func validate() throws {
    guard reference != nil || save != nil else {
      throw ValidationError("give --reference, or --save to write the statistics of the images alone")
    }
    if let side { try check("side", side, 1...8192) }
    guard save?.hasSuffix(".npz") ?? true else {
      throw ValidationError("--save is `\(save ?? "")`, expected a name that ends in .npz")
    }
  }

  func run() throws {
    let job = try Job()
    let evaluation = try job.communicator.agree {
      try Evaluation(
        samples: samples, reference: reference, try EvaluationNetwork(network), folders: folders, saved: save)
    }
    let workers = try threading.workers
    Console.printKernelNotice()
    let bars = ProgressBars()
    let outcome = try evaluation.run(
      job.communicator, workers,
      .init(
        stopRequested: { job.stop.isRequested }, report: bars.show, note: { Console.error("sprint: \($0)") }))
    bars.finish()
    try job.end()
    guard outcome.isDone else {
      if Console.rank == 0 { Console.error("sprint: interrupted; the same command continues the evaluation") }
      throw Console.restart
    }
    if let result = outcome.result { try output.show(result, EvaluationTable(result).lines) }
    if let save, Console.rank == 0, !output.json { Console.line("statistics of \(samples): \(save)") }
  }
}

extension EvaluateCommand {
  private var folders: FolderOptions {
    var options = FolderOptions()
    (options.side, options.skipsBroken) = (side, skipBroken)
    return options
  }
}

private func chosenNetwork(_ text: String) throws -> EvaluationNetwork.Choice {
  guard let choice = EvaluationNetwork.Choice(text) else {
    throw ValidationError("expected \(EvaluationNetwork.Choice.expected)")
  }
  return choice
}

/// A progress bar for each kind of work in turn.
private final class ProgressBars {
  private var what = ""
  private var bar = ProgressBar()

  func show(_ done: Int, of total: Int, _ what: String) {
    if what != self.what {
      finish()
      (self.what, bar) = (what, ProgressBar())
    }
    bar.show(done, of: total, what)
  }

  func finish() { bar.finish() }
}

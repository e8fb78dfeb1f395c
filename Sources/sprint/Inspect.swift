import ArgumentParser
import SprintTraining

/// `sprint inspect`
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what a data set, a checkpoint or a safetensors file holds, and whether a checkpoint is whole.",
    discussion: "Example: sprint inspect configs/data/digits.h5")

  @Argument(help: "The file.")
  var file: String

  func run() throws { try Inspection(path: file).lines.forEach(Console.line) }
}

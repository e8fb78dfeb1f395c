import ArgumentParser
import SprintTraining

/// The checkpoint that a command reads.
struct CheckpointOptions: ParsableArguments {
  @Option(
    name: .customLong("run"), help: "The folder of a run; its newest checkpoint is used.", transform: nonEmptyPath)
  var folder: String?

  @Option(help: "The file of a checkpoint, instead of --run.", transform: nonEmptyPath)
  var checkpoint: String?

  var isGiven: Bool { folder != nil || checkpoint != nil }

  func validate() throws {
    guard folder == nil || checkpoint == nil else { throw ValidationError("give either --run or --checkpoint") }
  }

  func opened() throws -> Checkpoint {
    if let folder { try TrainedModel.newestCheckpoint(run: folder) } else { try Checkpoint(path: checkpoint ?? "") }
  }
}

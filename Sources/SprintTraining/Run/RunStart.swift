import Foundation
import SprintCommunication
import SprintData
import SprintModel

/// Whether a run goes on from a checkpoint.
package enum ResumePolicy: Sendable, Equatable {
  /// From the newest whole checkpoint of the run's folder, from the start where there is none.
  case auto
  /// From the start; the folder must not hold a run.
  case never
  /// From this checkpoint.
  case file(String)
}

/// What a run starts from: data that fits the network, and a checkpoint or none. Checked at all ranks before anything is written.
package struct RunStart {
  let training: LatentDataset
  /// Held-out data, if any.
  let validation: LatentDataset?
  /// Where training stands, at every rank.
  let position: TrainingPosition
  /// Whether there is a checkpoint.
  let isResuming: Bool
  /// The checkpoint, at rank zero.
  let checkpoint: Checkpoint?

  init(
    _ configuration: Configuration, _ folder: RunFolder, _ resume: ResumePolicy, _ communicator: Communicator,
    _ report: (TrainingEvent) -> Void
  ) throws {
    checkpoint = try communicator.agree {
      communicator.rank == 0 ? try Self.checkpoint(for: resume, in: folder, report) : nil
    }
    (training, validation) = try communicator.agree { [checkpoint] in
      try Self.checkRanks(configuration, communicator.size)
      let training = try Self.openTraining(configuration)
      if let checkpoint { try Self.check(checkpoint, configuration, training) }
      return (training, try Self.openValidation(configuration))
    }
    let told = try communicator.broadcast(
      [checkpoint == nil ? 0 : 1] + (checkpoint?.position ?? TrainingPosition()).numbers)
    isResuming = told[0] > 0
    var position = TrainingPosition()
    position.numbers = Array(told.dropFirst())
    self.position = position
  }

  private static func checkpoint(
    for resume: ResumePolicy, in folder: RunFolder, _ report: (TrainingEvent) -> Void
  ) throws -> Checkpoint? {
    let store = CheckpointStore(folder)
    switch resume {
    case .file(let path):
      let checkpoint = try Checkpoint(path: path)
      if let newer = store.candidates().first, newer > store.path(step: checkpoint.position.step) {
        throw RunError.unusable(
          "\(newer) is newer than \(path); move it away, or name another folder with --run, so that it is clear what the "
            + "run is resumed from next time")
      }
      return checkpoint
    case .never:
      guard folder.isOccupied else { return nil }
      throw RunError.occupied(folder: folder.path, step: (try? store.newest())??.checkpoint.position.step ?? 0)
    case .auto:
      guard let newest = try store.newest() else {
        // A run that has lost its checkpoints is not started anew without being asked to.
        if MetricsLog.mentionsCheckpoint(path: folder.metrics) { throw RunError.checkpointsGone(folder: folder.path) }
        if folder.isOccupied { report(.note("\(folder.path): no checkpoint yet; starting from step 0")) }
        return nil
      }
      for problem in newest.problems { report(.note("left aside: \(problem)")) }
      return newest.checkpoint
    }
  }

  package static func checkRanks(_ configuration: Configuration, _ ranks: Int) throws {
    guard let smallest = configuration.stages.min(by: { $0.batch < $1.batch }), smallest.batch < ranks else { return }
    throw RunError.unusable(
      "stage `\(smallest.name)` has a batch of \(smallest.batch) for \(ranks) ranks; each needs at least one sample, "
        + "start fewer ranks or enlarge the batch")
  }

  private static func openTraining(_ configuration: Configuration) throws -> LatentDataset {
    let (model, data) = (configuration.model, configuration.data)
    let dataset = try LatentDataset(paths: data.train, flips: data.flips, features: data.features)
    try dataset.check(channels: model.channels, side: model.side, classes: model.classes)
    let largest = configuration.stages.map(\.batch).max() ?? 0
    guard dataset.count >= largest else {
      throw dataset.unusable("holds \(dataset.count) samples, fewer than the batch of \(largest)")
    }
    if let shape = dataset.featureShape, let projector = model.projector {
      guard shape == (model.tokens, projector.featureWidth) else {
        throw dataset.unusable(
          "holds features of \(shape.tokens) tokens x \(shape.width), "
            + "the model expects \(model.tokens) x \(projector.featureWidth)")
      }
    }
    return dataset
  }

  private static func openValidation(_ configuration: Configuration) throws -> LatentDataset? {
    guard !configuration.data.validation.isEmpty else { return nil }
    let (model, dataset) = (configuration.model, try LatentDataset(paths: configuration.data.validation))
    try dataset.check(channels: model.channels, side: model.side, classes: model.classes)
    return dataset
  }

  private static func check(_ checkpoint: Checkpoint, _ configuration: Configuration, _ dataset: LatentDataset) throws {
    var differences = configuration.differences(from: try checkpoint.configuration()).map {
      "`\($0.key)` was \($0.other), now \($0.own)"
    }
    if checkpoint.samples != dataset.count {
      differences.append("the data had \(checkpoint.samples) samples, now \(dataset.count)")
    }
    guard differences.isEmpty else {
      throw RunError.otherConfiguration(path: checkpoint.path, differences: differences)
    }
  }
}

import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import SprintModel

/// Whether a run goes on from a checkpoint.
package enum ResumePolicy: Sendable, Equatable {
  /// From the newest whole checkpoint of the run's folder; from the start where the folder has none.
  case auto
  /// From the start; the folder must not hold a run.
  case never
  /// From this checkpoint.
  case file(String)
}

/// What a run starts from: data that fits the network, and a checkpoint or none. All ranks check it before anything is
/// written.
struct RunStart {
  let training: LatentDataset
  /// Held-out data, if any.
  let validation: LatentDataset?
  /// Where training stands, at every rank.
  let position: TrainingPosition
  /// The run goes on from a checkpoint.
  let isResuming: Bool
  /// The checkpoint, at rank zero.
  let checkpoint: Checkpoint?
  /// What tells the data from others, at rank zero.
  let data: DataRecord?
  /// What the run has changed of its configuration so far, at rank zero.
  let changes: [ConfigurationChange]

  init(
    _ configuration: Configuration, _ claim: FolderClaim, _ resume: ResumePolicy, _ communicator: Communicator,
    note: (String) -> Void
  ) throws {
    checkpoint = try communicator.agree {
      guard communicator.rank == 0 else { return nil }
      return try claim.patience { try Self.checkpoint(for: resume, in: claim.folder, configuration, note) }
    }
    var position = checkpoint?.position ?? TrainingPosition()
    (training, validation, data, changes) = try communicator.agree { [checkpoint] in
      try configuration.check(ranks: communicator.size)
      let (training, validation) = (try Self.openTraining(configuration), try Self.openValidation(configuration))
      if let validation { try Self.check(heldOut: validation, against: training) }
      if let warning = try configuration.samples.decoder(of: training, Workers(1))?.warning, communicator.rank == 0 {
        note("warning: `samples.autoencoder`: \(warning)")
      }
      let data = communicator.rank == 0 ? try DataRecord(training, validation: validation) : nil
      if communicator.rank == 0 {
        try Self.survey(training, "data.train", note)
        if let validation { try Self.survey(validation, "data.validation", note) }
      }
      guard let checkpoint, let data else { return (training, validation, data, []) }
      try Self.check(checkpoint, configuration, data, note)
      let changes = try Self.changes(since: checkpoint, configuration, &position, note)
      return (training, validation, data, changes)
    }
    let start = try communicator.broadcast([checkpoint == nil ? 0 : 1] + position.numbers)
    isResuming = start[0] > 0
    position.numbers = Array(start.dropFirst())
    self.position = position
  }

  private static func checkpoint(
    for resume: ResumePolicy, in folder: RunFolder, _ configuration: Configuration, _ note: (String) -> Void
  ) throws -> Checkpoint? {
    switch resume {
    case .file(let path): try checkpoint(at: path, in: folder)
    case .never: try refuseOccupied(folder)
    case .auto: try newestCheckpoint(in: folder, configuration, note)
    }
  }

  private static func checkpoint(at path: String, in folder: RunFolder) throws -> Checkpoint {
    let (checkpoint, store) = (try Checkpoint(path: path), CheckpointStore(folder))
    if let newer = try store.newest(after: checkpoint.position.step) {
      throw RunError.newerCheckpoint(newer: newer, path: path)
    }
    return checkpoint
  }

  private static func refuseOccupied(_ folder: RunFolder) throws -> Checkpoint? {
    guard try folder.isOccupied else { return nil }
    let newest = try? CheckpointStore(folder).newest()
    throw RunError.occupied(folder: folder.path, step: newest?.checkpoint.position.step ?? 0)
  }

  private static func newestCheckpoint(
    in folder: RunFolder, _ configuration: Configuration, _ note: (String) -> Void
  ) throws -> Checkpoint? {
    let store = CheckpointStore(folder)
    var failed: Checkpoint?
    let newest = try store.newest { checkpoint in
      guard store.isMarked(checkpoint.path) else { return true }
      failed = checkpoint
      // Skipping helps where one batch is bad, unless it was tried.
      return try configuration.nonFinite == .skip && checkpoint.configuration().nonFinite == .stop
    }
    if let newest {
      for problem in newest.problems { note("skipped: \(problem)") }
      return newest.checkpoint
    }
    if let failed {
      guard try failed.position.isBeforeFirstCheckpoint(of: failed.configuration()) else {
        throw RunError.noEarlierCheckpoint(path: failed.path)
      }
      note("\(failed.path): a number of the steps after it is not finite; starting from step 0")
      return nil
    }
    // A run that has lost its checkpoints must not start anew by itself.
    if try LogLine.mentionsCheckpoint(log: folder.metrics) { throw RunError.checkpointsGone(folder: folder.path) }
    if try folder.isOccupied { note("\(folder.path): no checkpoint yet; starting from step 0") }
    return nil
  }

  private static func openTraining(_ configuration: Configuration) throws -> LatentDataset {
    let (model, data) = (configuration.model, configuration.data)
    let dataset = try LatentDataset(paths: data.train, flips: data.flips, teacher: data.teacher)
    try dataset.check(channels: model.channels, side: model.side, classes: model.classes)
    let largest = configuration.stages.map(\.batch).max() ?? 0
    guard dataset.count >= largest else {
      throw dataset.unusable("holds \(dataset.count) samples, fewer than the batch of \(largest)")
    }
    if let shape = dataset.featureShape, let projector = model.projector {
      guard shape == (model.patches, projector.featureWidth) else {
        throw dataset.unusable(
          "holds features of \(shape.tokens) tokens x \(shape.width), "
            + "the model expects \(model.patches) x \(projector.featureWidth)")
      }
    }
    try checkClassTokens(dataset, model)
    try checkAttention(dataset, model)
    return dataset
  }

  /// Throws unless the class tokens are as wide as the network's.
  private static func checkClassTokens(_ dataset: LatentDataset, _ model: ModelConfiguration) throws {
    guard let width = dataset.classTokenWidth, let expected = model.classToken, width != expected else { return }
    throw dataset.unusable("holds class tokens of width \(width), the model expects \(expected)")
  }

  /// Throws unless the teacher's attention fits the network, if both have one.
  private static func checkAttention(_ dataset: LatentDataset, _ model: ModelConfiguration) throws {
    guard let shape = dataset.attentionShape, let alignment = model.attentionAlignment else { return }
    guard shape.layers == alignment.blocks.count, shape.heads >= alignment.heads, shape.tokens == model.tokens else {
      throw dataset.unusable(
        "holds the attention of \(shape.layers) layers, \(shape.heads) heads and \(shape.tokens) tokens, the "
          + "configuration expects \(alignment.blocks.count) layers (`alignment.attention.blocks`), at least "
          + "\(alignment.heads) heads and \(model.tokens) tokens")
    }
  }

  private static func openValidation(_ configuration: Configuration) throws -> LatentDataset? {
    guard !configuration.data.validation.isEmpty else { return nil }
    let teacher = TeacherNames(classTokens: configuration.data.teacher.classTokens)
    let model = configuration.model
    let dataset = try LatentDataset(paths: configuration.data.validation, teacher: teacher)
    try dataset.check(channels: model.channels, side: model.side, classes: model.classes)
    try checkClassTokens(dataset, model)
    return dataset
  }

  private static func check(
    _ checkpoint: Checkpoint, _ configuration: Configuration, _ data: DataRecord, _ note: (String) -> Void
  ) throws {
    var differences = configuration.refusals(since: try checkpoint.configuration()).map {
      "`\($0.key)` was \($0.from), now \($0.to)"
    }
    if let difference = data.properties.difference(from: checkpoint.data.properties) {
      differences.append("the training data have \(difference)")
    }
    if checkpoint.data.samples != data.samples {
      differences.append("the data had \(checkpoint.data.samples) samples, now \(data.samples)")
    } else if !data.matches(checkpoint.data, \.training) {
      // Somebody may have repaired a sample.
      note("warning: the training data are not those of \(checkpoint.path); the run goes on with the new ones")
    }
    // Where a plateau ends a stage, the held-out data decide what is learnt.
    if !data.matches(checkpoint.data, \.validation), configuration.hasPlateau {
      differences.append("`data.validation` names other data")
    }
    guard differences.isEmpty else {
      throw RunError.otherConfiguration(path: checkpoint.path, differences: differences)
    }
  }

  /// Takes over what the configuration changes since a checkpoint, and returns all changes of the run.
  private static func changes(
    since checkpoint: Checkpoint, _ configuration: Configuration, _ position: inout TrainingPosition,
    _ note: (String) -> Void
  ) throws -> [ConfigurationChange] {
    let before = try checkpoint.configuration()
    let problems = configuration.problems(ofStagesAt: position, since: before)
    guard problems.isEmpty else { throw RunError.otherStages(path: checkpoint.path, problems: problems) }
    let differences = configuration.changes(since: before)
    let changes = differences.map {
      ConfigurationChange(step: position.step + 1, key: $0.key, from: $0.from, to: $0.to)
    }
    configuration.lines(about: changes, after: checkpoint.changes, at: position, since: before).forEach(note)
    position.take(differences, configuration, since: before)
    return checkpoint.changes + changes
  }
}

extension Configuration {
  /// Throws where a batch has fewer samples than there are ranks, or a rank computes more tokens at once than it can
  /// number.
  package func check(ranks: Int) throws {
    for stage in stages {
      let tokens = passSize(stage, slice: stage.imagesPerRank(ranks)).batch * model.tokens
      guard tokens <= Int(Int32.max) else {
        throw RunError.unusable(
          "stage `\(stage.name)` has \(tokens) tokens in a pass, expected at most \(Int32.max): raise `accumulate`")
      }
    }
    guard let smallest = stages.min(by: { $0.batch < $1.batch }), smallest.batch < ranks else { return }
    throw RunError.unusable(
      "stage `\(smallest.name)` has a batch of \(smallest.batch) for \(ranks) ranks; each rank needs at least one: "
        + "start fewer ranks or enlarge the batch")
  }
}

import Foundation
import SprintData
import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel

/// Whether a run goes on from a checkpoint.
public enum ResumePolicy: Sendable, Equatable {
  /// From the newest whole checkpoint of the run's folder, from the start where there is none.
  case auto
  /// From the start; the folder must not hold a run.
  case never
  /// From this checkpoint.
  case file(String)
}

/// Trains a network through all stages, with checkpoints, validation and pictures along the way.
public final class Trainer {
  private let configuration: Configuration
  private let folder: RunFolder
  private let network: Network
  private let optimizer: Optimizer
  private let dataset: LatentDataset
  private let validation: Validation?
  private let isDebugging: Bool
  private let report: (TrainingEvent) -> Void
  private let store: CheckpointStore
  private var position = TrainingPosition()
  private var lastCheckpoint: String?
  private var peak = 0.0

  /// Prepares a run. All that can be wrong with configuration, data and folder is found here, before anything is written.
  public init(
    _ configuration: Configuration, folder: RunFolder, resume: ResumePolicy, isDebugging: Bool = false,
    report: @escaping (TrainingEvent) -> Void
  ) throws {
    (self.configuration, self.folder, self.isDebugging, self.report) = (configuration, folder, isDebugging, report)
    store = CheckpointStore(folder)
    let checkpoint = try Self.checkpoint(for: resume, in: folder, store, report)
    dataset = try Self.openTraining(configuration)
    if let checkpoint { try Self.check(checkpoint, configuration, dataset) }
    let held = configuration.data.validation
    let heldOut = held.isEmpty ? nil : try LatentDataset(paths: held)
    try heldOut?.check(
      channels: configuration.model.channels, side: configuration.model.side, classes: configuration.model.classes)
    network = Network(
      configuration.model, workers: Workers(configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount))
    optimizer = Optimizer(network, configuration.optimizer)
    validation = heldOut.map { [network] in Validation($0, configuration, network) }
    if let checkpoint {
      try checkpoint.load(into: optimizer)
      (position, lastCheckpoint) = (checkpoint.position, checkpoint.path)
      report(.note("resumed at step \(position.step) from \(checkpoint.path)"))
    } else {
      network.layout.initialize(optimizer.weights.elements, seed: configuration.seed)
      optimizer.restart(from: optimizer.weights)
    }
  }

  /// Trains to the end, to step `until`, or until a stop is requested.
  ///
  /// - Returns: whether the run is finished.
  public func run(until last: Int? = nil, stop: StopRequest) throws -> Bool {
    try folder.create()
    try AtomicFile.write(Data(configuration.text.utf8), to: folder.configuration)
    let metrics = try MetricsLog(path: folder.metrics, after: position.step)
    peak = BLAS.measurePeak(workers: network.workers)
    report(.note(description))
    while position.step < last ?? .max {
      let stage = configuration.stages[position.stage]
      if position.stageStep == stage.steps {
        guard position.stage + 1 < configuration.stages.count else { break }
        enterNextStage()
        continue
      }
      guard try train(stage, until: last ?? .max, stop, metrics) else { break }
    }
    return position.step == configuration.totalSteps
  }

  private var description: String {
    let layout = network.layout
    return
      "\(layout.count) weights, \(dataset.count) images, \(network.workers.count) threads, OpenBLAS core \(BLAS.core), "
      + String(format: "%.0f GFLOP/s in matrix products", peak / 1e9)
  }

  // MARK: Stages and steps

  /// The next stage starts from the average or the weights of this one, with a fresh optimizer.
  private func enterNextStage() {
    position.stage += 1
    (position.stageStep, position.skipped) = (0, 0)
    let stage = configuration.stages[position.stage]
    optimizer.restart(from: stage.start == .ema ? optimizer.average : optimizer.weights)
    report(
      .note("stage \(position.stage + 1) of \(configuration.stages.count), `\(stage.name)`, from step \(position.step)")
    )
  }

  /// Steps of one stage. Returns false where the run is to end before it.
  private func train(_ stage: Stage, until last: Int, _ stop: StopRequest, _ metrics: MetricsLog) throws -> Bool {
    let micro = stage.batch / stage.accumulate
    let kept = stage.drop.keptCount(grid: configuration.model.grid)
    let activations = Activations(network, batch: micro, kept: kept, training: true)
    let objective = FlowMatching(network, interpolant: configuration.interpolant, activations: activations)
    let draws = BatchDraws(configuration, batch: micro, workers: network.workers)
    let reader = BatchReader(
      dataset, order: SampleOrder(count: dataset.count, seed: configuration.seed),
      randomness: LatentRandomness(seed: configuration.seed), batch: stage.batch, firstDraw: nextDraw)
    defer { reader.close() }
    if isDebugging { try checkGradients(stage, objective, draws) }
    while position.stageStep < stage.steps {
      let began = ContinuousClock.now
      let latents = try reader.next()
      let waited = ContinuousClock.now - began
      var step = try update(stage, latents, objective, draws)
      step.seconds = (ContinuousClock.now - began) / .seconds(1)
      step.dataSeconds = waited / .seconds(1)
      finish(&step, stage, kept)
      try log(step, metrics)
      try lookAfter(stage, metrics, stop)
      if position.step >= last || stop.isRequested {
        if position.step % configuration.checkpoint.interval != 0, position.stageStep < stage.steps {
          try saveCheckpoint()
        }
        return false
      }
    }
    return true
  }

  /// Draws of all steps before this one.
  private var nextDraw: UInt64 {
    let before = configuration.stages[..<position.stage].reduce(0) { $0 + $1.steps * $1.batch }
    return UInt64(before + position.stageStep * configuration.stages[position.stage].batch)
  }

  /// One update: gradients of all parts of the batch, clipping, AdamW, moving average.
  private func update(_ stage: Stage, _ latents: LatentBatch, _ objective: FlowMatching, _ draws: BatchDraws) throws
    -> StepReport
  {
    let micro = stage.batch / stage.accumulate
    let check = isDebugging ? FiniteCheck() : nil
    let isAligning = configuration.alignment.map { position.step < $0.lastStep ?? .max } ?? false
    var (loss, alignment) = (0.0, 0.0)
    for part in 0..<stage.accumulate {
      let batch = draws.batch(latents, part * micro..<(part + 1) * micro, stage, readsFeatures: isAligning)
      let losses = objective.lossesAndGradients(
        optimizer.weights, batch, alignmentWeight: configuration.alignment?.weight ?? 0,
        factor: 1 / Double(stage.accumulate), gradients: optimizer.gradients, check: check)
      loss += losses.denoising / Double(stage.accumulate)
      alignment += losses.alignment / Double(stage.accumulate)
    }
    let norm = optimizer.gradientNorm()
    let rate = stage.learningRate(at: position.stageStep)
    let isGood = try isFinite(loss + alignment, norm, check)
    if isGood {
      optimizer.update(
        step: position.stageStep - position.skipped + 1, learningRate: rate, norm: norm, clip: configuration.clip,
        ema: stage.emaDecay(at: position.stageStep))
    } else {
      optimizer.clearGradients()
      position.skipped += 1
    }
    position.step += 1
    position.stageStep += 1
    return StepReport(
      position: position, stage: stage.name, totalSteps: configuration.totalSteps, loss: loss, alignment: alignment,
      gradientNorm: norm, learningRate: rate, seconds: 0, dataSeconds: 0, imagesPerSecond: 0, peakShare: 0,
      secondsLeft: 0, isSkipped: !isGood)
  }

  /// Whether the update may be made; throws where the run is to stop instead.
  private func isFinite(_ loss: Double, _ norm: Double, _ check: FiniteCheck?) throws -> Bool {
    if loss.isFinite, norm.isFinite, check?.firstFailure == nil { return true }
    let what = check?.firstFailure ?? (loss.isFinite ? "the norm of the gradients is \(norm)" : "the loss is \(loss)")
    let described = "\(what) (loss \(loss), gradient norm \(norm))"
    guard configuration.nonFinite == .skip, !isDebugging else {
      throw RunError.notFinite(step: position.step + 1, what: described, lastGood: lastCheckpoint)
    }
    report(.note("step \(position.step + 1): \(described); update skipped, \(position.skipped + 1) in this stage"))
    return false
  }

  private func finish(_ step: inout StepReport, _ stage: Stage, _ kept: Int) {
    step.imagesPerSecond = Double(stage.batch) / step.seconds
    let work = 3 * configuration.model.forwardWork(kept: kept)
    step.peakShare = step.imagesPerSecond * work / peak
    let rest = configuration.stages.enumerated().reduce(0.0) { sum, entry in
      let (index, stage) = entry
      let done = index < position.stage ? stage.steps : index == position.stage ? position.stageStep : 0
      let stageWork = 3 * configuration.model.forwardWork(kept: stage.drop.keptCount(grid: configuration.model.grid))
      return sum + Double((stage.steps - done) * stage.batch) * stageWork
    }
    step.secondsLeft = rest / (step.imagesPerSecond * work)
  }

  private func log(_ step: StepReport, _ metrics: MetricsLog) throws {
    var fields: [(String, MetricValue)] = [
      ("step", .integer(step.position.step)), ("stage", .text(step.stage)), ("loss", .number(step.loss)),
    ]
    if configuration.alignment != nil { fields.append(("alignment", .number(step.alignment))) }
    fields += [
      ("gradient_norm", .number(step.gradientNorm)), ("learning_rate", .number(step.learningRate)),
      ("images_per_second", .number(step.imagesPerSecond)), ("peak_share", .number(step.peakShare)),
      ("data_seconds", .number(step.dataSeconds)), ("skipped", .integer(step.position.skipped)),
    ]
    try metrics.write(fields)
    report(.step(step))
  }

  /// What is due after a step: validation, pictures, a checkpoint.
  private func lookAfter(_ stage: Stage, _ metrics: MetricsLog, _ stop: StopRequest) throws {
    let step = position.step
    let isLast = position.stageStep == stage.steps
    if let validation, step % configuration.validation.interval == 0 || isLast {
      let loss = try validation.loss(optimizer.average)
      try metrics.write([("step", .integer(step)), ("validation_loss", .number(loss))])
      report(.validation(step: step, loss: loss))
    }
    if let interval = configuration.samples.interval, step % interval == 0 || isLast { try drawSamples(stop) }
    if step % configuration.checkpoint.interval == 0 || isLast { try saveCheckpoint() }
  }

  private func drawSamples(_ stop: StopRequest) throws {
    let labels = configuration.samples.classes.flatMap { Array(repeating: $0, count: configuration.samples.perClass) }
    let generator = SampleGenerator(
      network, weights: optimizer.average, settings: configuration.samples.sampler, seed: configuration.seed)
    let samples = generator.samples(labels: labels) { _ in !stop.isRequested }
    guard samples.count == labels.count else { return }
    let name = (store.path(step: position.step) as NSString).lastPathComponent.replacing(".h5", with: ".png")
    let path = "\(folder.samples)/\(name)"
    try SampleGrid(configuration.model, dataset.properties).picture(samples, labels: labels).writePNG(to: path)
    report(.samples(path: path))
  }

  private func saveCheckpoint() throws {
    let began = ContinuousClock.now
    let path = try store.save(optimizer, position, configuration, dataset)
    lastCheckpoint = path
    report(.checkpoint(path: path, seconds: (ContinuousClock.now - began) / .seconds(1)))
  }

  private func checkGradients(_ stage: Stage, _ objective: FlowMatching, _ draws: BatchDraws) throws {
    let reader = BatchReader(
      dataset, order: SampleOrder(count: dataset.count, seed: configuration.seed),
      randomness: LatentRandomness(seed: configuration.seed), batch: stage.batch, firstDraw: nextDraw, ahead: 1)
    defer { reader.close() }
    let batch = draws.batch(
      try reader.next(), 0..<stage.batch / stage.accumulate, stage, readsFeatures: configuration.alignment != nil)
    let results = GradientCheck(
      network, objective, weights: optimizer.weights, alignmentWeight: configuration.alignment?.weight ?? 0,
      seed: configuration.seed
    ).run(batch)
    let measured = results.compactMap { result in result.error.map { (result, $0) } }
    let bad = measured.filter { !($0.1 <= GradientCheck.tolerance) }
    let worst = measured.max { $0.1 < $1.1 }
    report(
      .note(
        "gradients of one batch against central differences: \(measured.count - bad.count) of \(measured.count) parameters agree "
          + "within \(GradientCheck.tolerance), \(results.count - measured.count) too small to see; the largest error is "
          + "\(worst.map { String(format: "%.1e of %@", $0.1, $0.0.name) } ?? "not there")"))
    guard let first = bad.first else { return }
    throw RunError.unusable(
      "gradient check: \(first.0.name) has gradient norm \(first.0.norm), central differences say \(first.0.difference)"
    )
  }

  // MARK: What is checked before the start

  private static func checkpoint(
    for resume: ResumePolicy, in folder: RunFolder, _ store: CheckpointStore, _ report: (TrainingEvent) -> Void
  ) throws -> Checkpoint? {
    switch resume {
    case .file(let path): return try Checkpoint(path: path)
    case .never:
      guard folder.isOccupied else { return nil }
      throw RunError.occupied(folder: folder.path, step: (try? store.newest())??.checkpoint.position.step ?? 0)
    case .auto:
      guard let newest = try store.newest() else {
        if folder.isOccupied { report(.note("\(folder.path): no checkpoint yet; starting from step 0")) }
        return nil
      }
      for problem in newest.problems { report(.note("left aside: \(problem)")) }
      return newest.checkpoint
    }
  }

  private static func openTraining(_ configuration: Configuration) throws -> LatentDataset {
    let (model, data) = (configuration.model, configuration.data)
    let dataset = try LatentDataset(paths: data.train, flips: data.flips, features: data.features)
    try dataset.check(channels: model.channels, side: model.side, classes: model.classes)
    let largest = configuration.stages.map(\.batch).max() ?? 0
    guard dataset.count >= largest else {
      throw DatasetError.unfit(problem: "has \(dataset.count) samples, fewer than the batch of \(largest)")
    }
    if let shape = dataset.featureShape, let projector = model.projector {
      guard shape == (model.tokens, projector.featureWidth) else {
        throw DatasetError.unfit(
          problem:
            "has features of \(shape.tokens) tokens x \(shape.width), the model expects \(model.tokens) x \(projector.featureWidth)"
        )
      }
    }
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

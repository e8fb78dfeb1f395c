import Foundation
import SprintCommunication
import SprintData
import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel

/// How a call to train ended.
package enum TrainingEnd: Sendable, Equatable {
  /// All stages are done.
  case finished
  /// The step that was asked for is reached.
  case reachedStep
  /// Something asked for a stop: a signal, the deadline, the stop file. A checkpoint is saved.
  case interrupted
}

/// Trains a network through all stages, with checkpoints, validation and pictures along the way. Every rank has one, and they
/// act in step: rank zero says once a step what all do.
package final class Trainer {
  let configuration: Configuration
  let folder: RunFolder
  let communicator: Communicator
  package let network: Network
  let optimizer: Optimizer
  let dataset: LatentDataset
  let store: CheckpointStore
  let isDebugging: Bool
  let isSharded: Bool
  let plan: BucketPlan
  let reduction: GradientReduction
  let validation: Validation?
  let writer: CheckpointWriter?
  /// Of the activations of every stage in turn.
  package let activationMemory: Arena
  let report: (TrainingEvent) -> Void
  var metrics: MetricsLog?
  var curves: TensorBoardFile?
  var coordinator: Coordinator?
  var position: TrainingPosition
  var lastCheckpoint: String?
  var failedSave: (any Error)?
  var peak = 0.0

  /// Prepares a run. All that can be wrong with configuration, data and folder is found here, before anything is written.
  ///
  /// - Parameters:
  ///   - communicator: the way to the other ranks
  ///   - start: gives rank zero the weights that a run starts from, in the place of random ones
  ///   - report: told what happens, at rank zero
  package init(
    _ configuration: Configuration, folder: RunFolder, resume: ResumePolicy, isDebugging: Bool = false,
    communicator: Communicator = .single(), start initialWeights: ((ParameterArena) throws -> Void)? = nil,
    report: @escaping (TrainingEvent) -> Void
  ) throws {
    (self.configuration, self.folder, self.isDebugging) = (configuration, folder, isDebugging)
    (self.communicator, self.report, store) = (communicator, report, CheckpointStore(folder))
    let began = ContinuousClock.now
    let start = try RunStart(configuration, folder, resume, communicator, report)
    dataset = start.training
    network = Network(configuration.model, workers: Workers(configuration.threads ?? Launch.threadsPerRank))
    plan = BucketPlan(count: network.layout.count, ranks: communicator.size)
    isSharded = configuration.distribution.isSharded && communicator.size > 1
    optimizer = Optimizer(
      network, configuration.optimizer, owned: isSharded ? plan.shards(ofRank: communicator.rank) : nil)
    reduction = GradientReduction(
      communicator, optimizer.gradients.elements, plan, isSharded: isSharded, wire: configuration.distribution.wire)
    validation = start.validation.map { [network] in Validation($0, configuration, network) }
    writer =
      communicator.rank == 0 && configuration.checkpoint.isOn
      ? CheckpointWriter(store, configuration, dataset, network) : nil
    let sizes = configuration.stages.map {
      Self.activationSize($0, configuration, slice: Self.slice(of: $0, communicator).count)
    }
    activationMemory = Arena(count: sizes.map { [network] in PassMemory.count(network, $0) }.max() ?? 0)
    (position, lastCheckpoint) = (start.position, start.checkpoint?.path)
    if start.isResuming {
      try optimizer.restore(start.checkpoint, communicator)
      let seconds = String(format: "%.2f", (ContinuousClock.now - began) / .seconds(1))
      report(.note("resumed at step \(position.step) from \(lastCheckpoint ?? "") in \(seconds) s"))
    } else {
      network.layout.initialize(optimizer.weights.elements, seed: configuration.seed)
      if let initialWeights {
        try communicator.agree { [optimizer] in if communicator.rank == 0 { try initialWeights(optimizer.weights) } }
        try communicator.broadcast(optimizer.weights.elements)
      }
      optimizer.restart(from: optimizer.weights)
    }
  }

  /// Trains to the end, to step `until`, to the deadline, or until a stop is requested at any rank.
  package func run(until last: Int? = nil, deadline: Date? = nil, stop: StopRequest) throws -> TrainingEnd {
    let last = last ?? .max
    try communicator.agree { if communicator.rank == 0 { try open(until: last, deadline) } }
    if let roster = try RankRoster(communicator, network.workers) {
      peak = roster.peak
      log(roster)
      report(.note(description))
      roster.lines.forEach { report(.note($0)) }
      if !configuration.checkpoint.isOn { report(.note("checkpoint.keep is 0: nothing of this run will be saved")) }
    }
    // Only now, so that it does not slow down what the roster measures.
    writer?.prepare()
    var isInterrupted = try !catchUp(stop)
    while !isInterrupted, position.step < last {
      let stage = configuration.stages[position.stage]
      if position.hasFinishedStage(of: configuration) {
        guard position.stage + 1 < configuration.stages.count else { break }
        try enterNextStage()
        continue
      }
      isInterrupted = try !train(stage, stop)
    }
    try finishSaving()
    let isLastStage = position.stage + 1 == configuration.stages.count
    return isLastStage && position.hasFinishedStage(of: configuration)
      ? .finished : position.step >= last ? .reachedStep : .interrupted
  }

  /// Everything that training keeps, at rank zero; all ranks call it.
  package func state() throws -> TrainingSnapshot? {
    let snapshot = communicator.rank == 0 ? TrainingSnapshot(network) : nil
    try optimizer.collect(into: snapshot, communicator, plan)
    return snapshot
  }

  /// Bytes of average and moments at this rank.
  package var stateBytes: Int { optimizer.stateBytes }

  /// What rank zero keeps of a run.
  private func open(until last: Int, _ deadline: Date?) throws {
    try folder.create()
    store.removeLeftovers()
    try AtomicFile.write(Data(configuration.text.utf8), to: folder.configuration)
    metrics = try MetricsLog(path: folder.metrics, after: position.step)
    if configuration.writesTensorBoard {
      // A run that starts anew keeps nothing of one that never saved.
      curves = try TensorBoardFile(folder: folder.tensorBoard, after: position.step == 0 ? -1 : position.step)
      if position.step == 0 {
        plot { try $0.add(text: "```yaml\n\(configuration.text)```", tag: "configuration", step: 0) }
      }
    }
    // Until a save was measured: four arenas at a rate that slow disks reach.
    let estimate = 2 + Double(4 * 4 * network.layout.count) / 200e6
    coordinator = Coordinator(
      configuration, hasValidation: validation != nil, until: last, deadline: deadline, stopFile: folder.stop,
      saveEstimate: estimate)
  }

  private var description: String {
    "\(network.layout.count) weights, \(dataset.count) images, "
      + String(format: "%.1f MB of average and moments a rank", Double(optimizer.stateBytes) / 1e6)
  }

  // MARK: Stages and steps

  /// The next stage starts from the average or the weights of this one, with a fresh optimizer.
  private func enterNextStage() throws {
    position.enterNextStage()
    let stage = configuration.stages[position.stage]
    switch stage.start {
    case .ema: try optimizer.withAverage(communicator, plan) { optimizer.restart(from: $0) }
    case .model: optimizer.restart(from: optimizer.weights)
    }
    report(
      .note("stage \(position.stage + 1) of \(configuration.stages.count), `\(stage.name)`, from step \(position.step)")
    )
  }

  /// Steps of one stage. Returns false where the run is to end within it.
  private func train(_ stage: Stage, _ stop: StopRequest) throws -> Bool {
    let slice = Self.slice(of: stage, communicator)
    let kept = stage.drop.keptCount(grid: configuration.model.grid)
    let size = Self.activationSize(stage, configuration, slice: slice.count)
    let memory = PassMemory(network, size, in: activationMemory)
    let objective = FlowMatching(network, interpolant: configuration.interpolant, memory: memory)
    let draws = BatchDraws(configuration, batch: size.batch, workers: network.workers)
    let reader = reader(stage, slice)
    defer { reader.close() }
    if isDebugging { try checkGradients(stage, slice, objective, draws) }
    while !position.hasFinishedStage(of: configuration) {
      let began = ContinuousClock.now
      let latents = try next(reader)
      var own = RankReport()
      own.dataSeconds = (ContinuousClock.now - began) / .seconds(1)
      own.stopRequested = stop.isRequested
      let check = isDebugging ? FiniteCheck() : nil
      addGradients(stage, latents, slice.count, objective, draws, check, &own)
      own.seconds = (ContinuousClock.now - began) / .seconds(1)
      try reduction.wait()
      if isSharded || communicator.rank == 0 { own.squaredNorm = optimizer.sumOfSquaredGradients() }
      own.hasNonFinite = check?.firstFailure != nil
      let directive = try directive(own)
      let rate = stage.learningRate(at: position.stageStep)
      try update(stage, rate, directive, check)
      let seconds = (ContinuousClock.now - began) / .seconds(1)
      log(stage, kept, directive, rate, seconds, own)
      let goesOn = try lookAfter(directive, stage, stop)
      coordinator?.stepped(seconds: (ContinuousClock.now - began) / .seconds(1))
      if !goesOn { return false }
    }
    return true
  }

  /// The samples of each global batch that are this rank's.
  private static func slice(of stage: Stage, _ communicator: Communicator) -> Range<Int> {
    Workers.slice(communicator.rank, of: communicator.size, total: stage.batch)
  }

  /// - Parameter slice: images of the stage's batch that one rank has
  package static func activationSize(_ stage: Stage, _ configuration: Configuration, slice: Int) -> PassSize {
    PassSize(
      batch: (slice + stage.accumulate - 1) / stage.accumulate,
      kept: stage.drop.keptCount(grid: configuration.model.grid), training: true, recompute: configuration.recompute)
  }

  private func reader(_ stage: Stage, _ slice: Range<Int>, ahead: Int = 2) -> BatchReader {
    BatchReader(
      dataset, order: SampleOrder(count: dataset.count, seed: configuration.seed),
      randomness: LatentRandomness(seed: configuration.seed), batch: stage.batch, slice: slice,
      firstDraw: UInt64(position.draws), ahead: ahead)
  }

  private func next(_ reader: BatchReader) throws -> LatentBatch {
    do { return try reader.next() } catch { throw RunError.unreadable(step: position.step + 1, problem: "\(error)") }
  }

  private var isAligning: Bool { configuration.alignment.map { position.step < $0.lastStep ?? .max } ?? false }

  /// Gradients of all parts of the rank's slice; those of the last part are handed on as they become final.
  private func addGradients(
    _ stage: Stage, _ latents: LatentBatch, _ count: Int, _ objective: FlowMatching, _ draws: BatchDraws,
    _ check: FiniteCheck?, _ own: inout RankReport
  ) {
    for part in 0..<stage.accumulate {
      let range = Workers.slice(part, of: stage.accumulate, total: count)
      guard !range.isEmpty else { continue }
      let share = Double(range.count) / Double(stage.batch)
      let isLast = part == stage.accumulate - 1
      let losses = objective.lossesAndGradients(
        optimizer.weights, draws.batch(latents, range, stage, readsFeatures: isAligning),
        alignmentWeight: configuration.alignment?.weight ?? 0, factor: share, gradients: optimizer.gradients,
        check: check, onFinal: { [reduction] in if isLast { reduction.isFinal($0) } })
      own.loss += share * losses.denoising
      own.alignment += share * losses.alignment
    }
  }

  /// Tells rank zero how the step went here, and hears what all are to do.
  private func directive(_ own: RankReport) throws -> Directive {
    let reports = try communicator.gather(own.numbers).map(RankReport.init)
    let directive = coordinator?.directive(reports, at: position) ?? Directive()
    if let slow = coordinator?.slowRank {
      report(
        .note(
          String(
            format: "rank %d is slow: %.2f s a step, the median of ranks is %.2f s", slow.rank, slow.seconds,
            slow.median)))
    }
    return Directive(try communicator.broadcast(directive.numbers))
  }

  /// One update: clipping, AdamW and moving average of the own shards, then everybody's new weights.
  private func update(_ stage: Stage, _ rate: Double, _ directive: Directive, _ check: FiniteCheck?) throws {
    switch directive.update {
    case .make:
      var gathers: [Pending] = []
      optimizer.update(
        step: position.stageStep - position.skipped + 1, learningRate: rate, norm: directive.gradientNorm,
        clip: configuration.clip, ema: stage.emaDecay(at: position.stageStep)
      ) { bucket in
        if isSharded {
          gathers.append(communicator.startAllGather(optimizer.weights.elements, plan, bucket: bucket))
        }
      }
      for gather in gathers { try gather.wait() }
    case .skip:
      optimizer.clearGradients()
      report(
        .note(
          "step \(position.step + 1): \(Self.describe(directive)); update skipped, \(position.skipped + 1) in this stage"
        ))
    case .fail: try fail(directive, check)
    }
    position.advance(batch: stage.batch, isSkipped: directive.update == .skip)
  }

  /// Every rank stops, because numbers are not finite.
  private func fail(_ directive: Directive, _ check: FiniteCheck?) throws {
    let found = try communicator.gather(check?.firstFailure ?? "")
    try finishSaving()
    let first = found.firstIndex { !$0.isEmpty }.map { communicator.size > 1 ? "rank \($0): \(found[$0])" : found[$0] }
    throw RunError.notFinite(
      step: position.step + 1, what: (first.map { "\($0); " } ?? "") + Self.describe(directive),
      lastGood: lastCheckpoint)
  }

  private static func describe(_ directive: Directive) -> String {
    "loss \(directive.loss), gradient norm \(directive.gradientNorm)"
  }

  // MARK: Debugging

  private func checkGradients(_ stage: Stage, _ slice: Range<Int>, _ objective: FlowMatching, _ draws: BatchDraws)
    throws
  {
    let reader = reader(stage, slice, ahead: 1)
    defer { reader.close() }
    let batch = draws.batch(
      try reader.next(), Workers.slice(stage.accumulate - 1, of: stage.accumulate, total: slice.count), stage,
      readsFeatures: configuration.alignment != nil)
    let check = GradientCheck(
      network, objective, weights: optimizer.weights, alignmentWeight: configuration.alignment?.weight ?? 0,
      seed: configuration.seed)
    let summary = try communicator.agree { try check.summary(batch) }
    report(.note(summary))
  }
}

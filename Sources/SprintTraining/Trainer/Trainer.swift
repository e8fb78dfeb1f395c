import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import SprintModel

/// How a call to train ended.
package enum TrainingEnd: Sendable, Equatable {
  /// All stages are done.
  case finished
  /// The requested step is reached.
  case reachedStep
  /// A signal, the deadline or the stop file stopped the run. A checkpoint is saved.
  case interrupted
}

/// Trains a network through all stages: the stages, the loop over steps, and what is due between them. Every rank has a
/// trainer, and all act in step: once a step rank zero decides what every rank does.
package final class Trainer {
  let configuration: Configuration
  private let claim: FolderClaim
  let step: TrainingStep
  let journal: RunJournal
  let saver: CheckpointSaver
  let heldOut: HeldOutLoss?
  let pictures: RunPictures
  var coordinator: Coordinator?
  /// Where training stands.
  package internal(set) var position: TrainingPosition

  /// Prepares a run. It finds everything that can be wrong with configuration, data and folder before anything is
  /// written.
  ///
  /// - Parameters:
  ///   - communicator: the way to the other ranks
  ///   - patience: how long to try where the disk or the server of the folder fails at the start
  ///   - initialWeights: called at rank zero of a new run to replace the random initial weights
  ///   - report: called at rank zero with what happens
  package init(
    _ configuration: Configuration, folder: RunFolder, resume: ResumePolicy, isDebugging: Bool = false,
    communicator: Communicator = .single(), patience: Patience = .none,
    start initialWeights: ((ParameterArena<Float>) throws -> Void)? = nil, report: @escaping (TrainingEvent) -> Void
  ) throws {
    let began = ContinuousClock.now
    self.configuration = configuration
    journal = RunJournal(configuration, folder, ranks: communicator.size, report)
    claim = try communicator.agree { try FolderClaim(folder, patience, isRankZero: communicator.rank == 0) }
    let start = try RunStart(configuration, claim, resume, communicator, note: journal.note)
    try configuration.checkMemory(communicator)
    let workers = Workers(configuration.threads ?? Launch.threadsPerRank)
    try workers.start()
    let network = Network(configuration.model, workers: workers)
    let optimizer = Optimizer(
      network, configuration.optimizer, communicator, precision: configuration.precision,
      isSharded: configuration.distribution.isSharded)
    step = TrainingStep(configuration, network, start.training, optimizer, isDebugging: isDebugging)
    heldOut = start.validation.map { HeldOutLoss($0, configuration, network) }
    pictures = RunPictures(configuration, folder, network, start.training, journal)
    saver = CheckpointSaver(
      configuration, CheckpointStore(folder), network, optimizer, journal, from: start)
    position = start.position
    if start.isResuming {
      try restore(start.checkpoint, since: began)
    } else {
      try initialize(initialWeights)
    }
  }

  var optimizer: Optimizer { step.optimizer }
  var communicator: Communicator { step.optimizer.communicator }

  /// The network in training.
  package var network: Network { step.network }

  /// Floats of memory that the passes of the largest stage take.
  package var passFloats: Int { step.memory.elements.count }

  /// Bytes of average and moments at this rank.
  package var stateBytes: Int { optimizer.stateBytes }

  /// The whole training state, at rank zero; all ranks call it.
  package func state() throws -> TrainingSnapshot? {
    let snapshot = communicator.rank == 0 ? TrainingSnapshot(network) : nil
    try optimizer.collect(into: snapshot)
    return snapshot
  }

  // MARK: Start

  private func restore(_ checkpoint: Checkpoint?, since began: ContinuousClock.Instant) throws {
    try optimizer.restore(checkpoint)
    let seconds = String(format: "%.2f", (ContinuousClock.now - began) / .seconds(1))
    journal.note("resumed at step \(position.step) from \(checkpoint?.path ?? "") in \(seconds) s")
  }

  private func initialize(_ initialWeights: ((ParameterArena<Float>) throws -> Void)?) throws {
    let weights = optimizer.gradients
    network.layout.initialize(weights.elements, seed: configuration.seed)
    if let initialWeights {
      try communicator.agree { if communicator.rank == 0 { try initialWeights(weights) } }
      try communicator.broadcast(weights.elements)
    }
    optimizer.restart(from: weights)
  }

  /// Opens the run's folder at rank zero.
  private func open() throws {
    try claim.open(note: journal.note)
    let store = CheckpointStore(claim.folder)
    store.removeLeftovers()
    store.removeMarked(after: position.step)
    try AtomicFile.write(Data(configuration.text.utf8), to: claim.folder.configuration)
    try journal.open(at: position)
  }

  /// Measures all ranks, tells the user who takes part, and appoints rank zero's coordinator.
  private func introduce(until last: Int, _ deadline: ContinuousClock.Instant?) throws {
    guard let roster = try RankRoster(communicator, network.workers, configuration.precision) else { return }
    // Until a step is measured: small networks reach a quarter of the peak.
    let budget = TimeBudget(
      configuration, ranks: communicator.size, validationSamples: heldOut?.samples ?? 0, deadline: deadline,
      rate: roster.peak / 4)
    coordinator = Coordinator(configuration, hasValidation: heldOut != nil, until: last, budget: budget)
    journal.started(at: position.step, roster, step.dataset, weights: network.layout.count)
    journal.note(
      "\(network.layout.count) weights, \(step.dataset.count) images, "
        + String(format: "%.1f MB of average and moments a rank", Double(stateBytes) / 1e6))
    roster.lines.forEach(journal.note)
    if let notice = configuration.precision.notice() { journal.note(notice) }
    configuration.sampleWarnings.forEach(journal.note)
    if !configuration.checkpoint.isOn { journal.note("checkpoint.keep is 0: nothing of this run will be saved") }
  }

  // MARK: Stages and steps

  /// Trains to the end, to step `until`, to the deadline, or until any rank is asked to stop.
  package func run(
    until last: Int? = nil, deadline: ContinuousClock.Instant? = nil, stop: StopRequest
  ) throws -> TrainingEnd {
    let last = last ?? .max
    defer {
      journal.finish()
      claim.release()
    }
    try communicator.agree { if communicator.rank == 0 { try claim.patience(open) } }
    try introduce(until: last, deadline)
    // After the measurement, which it would slow down.
    saver.prepare()
    var isInterrupted = try !catchUp(stop)
    while !isInterrupted, position.step < last, !position.hasFinished(configuration) {
      if position.hasFinishedStage(of: configuration) { try enterNextStage() }
      isInterrupted = try !trainStage(stop)
    }
    try saver.finish()
    if position.skippedInARow > 0 {
      journal.note(
        "warning: nothing was learnt in the last \(position.skippedInARow) steps: their updates were skipped")
    }
    // A stop in the last step leaves out what is due after it.
    if isInterrupted, try communicator.anyRank(missing.validation || missing.pictures) { return .interrupted }
    return position.hasFinished(configuration) ? .finished : position.step >= last ? .reachedStep : .interrupted
  }

  /// Starts the next stage from the average or the weights of this one, with a fresh optimizer.
  private func enterNextStage() throws {
    position.enterNextStage()
    let stage = configuration.stages[position.stage]
    switch stage.start {
    case .ema: try optimizer.withAverage { optimizer.restart(from: $0) }
    case .model: optimizer.restart()
    }
    journal.note(
      "stage \(position.stage + 1) of \(configuration.stages.count), `\(stage.name)`, from step \(position.step)")
  }

  /// Trains to the end of the current stage. Returns false if the run ends within it.
  private func trainStage(_ stop: StopRequest) throws -> Bool {
    var work = try step.begin(at: position)
    defer { work.close() }
    if let summary = try step.checkGradients(work, at: position) { journal.note(summary) }
    while !position.hasFinishedStage(of: configuration) {
      if isAngleDue {
        guard try measured(.angle, { try measureAngle(work, stop) }) else { return try stopBeforeStep() }
        if position.isAlignmentOver {
          // The reader still reads what there is of the teacher.
          work.close()
          work = try step.begin(at: position)
        }
      }
      if try !trainStep(work, stop) { return false }
    }
    return true
  }

  /// Makes one step and does what is due after it. Returns false if the run ends here.
  private func trainStep(_ work: StageWork, _ stop: StopRequest) throws -> Bool {
    let began = ContinuousClock.now
    var (report, timing) = try step.run(work, at: position, stop)
    let directive = try directive(for: report)
    switch directive.update {
    case .make: break
    case .skip: reportSkip(directive)
    case .fail: try end(after: directive)
    }
    try step.update(work.stage, directive, at: position)
    let learningRate = work.stage.learningRate(at: position.stageStep)
    position.advance(batch: work.stage.batch, isSkipped: directive.update == .skip)
    timing.seconds = (ContinuousClock.now - began) / .seconds(1)
    coordinator?.took(timing.seconds, .step, at: position)
    journal.stepped(to: position, directive, learningRate: learningRate, timing)
    return try perform(directive, stop)
  }

  /// Sends this rank's report to rank zero and returns what all ranks do.
  private func directive(for report: RankReport) throws -> Directive {
    let reports = try communicator.gather(report.numbers).map(RankReport.init)
    var circumstances = saver.circumstances
    circumstances.stopFileFound = coordinator != nil && claim.isStopRequested
    let directive = coordinator?.directive(reports, at: position, circumstances) ?? Directive()
    if let slow = coordinator?.notices.slowRank { journal.note(slow.description) }
    return Directive(try communicator.broadcast(directive.numbers))
  }

  private func reportSkip(_ directive: Directive) {
    journal.note(
      "step \(position.step + 1): \(directive.numbersInWords); update skipped, \(position.skipped + 1) in this stage")
  }

  /// Ends the run at every rank after a step that failed. The state is still that of the step before; it is saved.
  private func end(after directive: Directive) throws -> Never {
    try saveLastGood(hasFailed: true)
    if let problem = try step.unreadableData() { throw RunError.unreadable(step: position.step + 1, problem: problem) }
    let earlier = try communicator.agree { try saver.markFailure(at: position) }
    throw RunError.notFinite(
      step: position.step + 1, what: try step.foundNonFinite() + directive.numbersInWords,
      RunError.WayOut(configuration, position, saved: saver.lastCheckpoint, earlier: earlier))
  }

  /// Saves the state of the last step, unless it is that of the newest checkpoint, and waits for the end of the save.
  func saveLastGood(hasFailed: Bool = false) throws {
    if !saver.covers(position) { try saver.save(position, isUrgent: true, hasFailed: hasFailed) }
    try saver.finish()
  }
}

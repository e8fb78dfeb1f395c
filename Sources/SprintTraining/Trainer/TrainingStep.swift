import SprintCommunication
import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// One training step at this rank: from a batch to the rank's report, and the update that rank zero decides on.
final class TrainingStep {
  let network: Network
  let dataset: LatentDataset
  let optimizer: Optimizer
  /// The memory of all stages' passes, one after another.
  let memory: Arena
  private let configuration: Configuration
  private let reduction: GradientReduction
  private let isDebugging: Bool
  /// The check of the last step, when debugging.
  private var check: FiniteCheck?
  /// Why this rank could not read its part of the last batch, if it could not.
  private var unreadable: (any Error)?

  init(
    _ configuration: Configuration, _ network: Network, _ dataset: LatentDataset, _ optimizer: Optimizer,
    isDebugging: Bool
  ) {
    (self.configuration, self.network, self.dataset) = (configuration, network, dataset)
    (self.optimizer, self.isDebugging) = (optimizer, isDebugging)
    reduction = GradientReduction(
      optimizer.communicator, optimizer.gradients.elements, optimizer.plan, isSharded: optimizer.isSharded,
      wire: configuration.distribution.wire)
    let sizes = configuration.stages.map {
      configuration.passSize($0, slice: $0.slice(of: optimizer.communicator).count)
    }
    memory = Arena(count: sizes.map { PassMemory.count(network, $0) }.max() ?? 0)
  }

  /// Prepares the work of a stage from `position` on.
  func begin(at position: TrainingPosition) throws -> StageWork {
    let stage = configuration.stages[position.stage]
    return StageWork(configuration, stage, network, dataset, optimizer, memory, from: position)
  }

  /// Computes the gradients of the rank's part of the next batch and reduces them over ranks.
  ///
  /// - Returns: the rank's report, and where its seconds went
  func run(_ work: StageWork, at position: TrainingPosition, _ stop: StopRequest) throws -> (RankReport, StepTiming) {
    let began = ContinuousClock.now
    var report = RankReport()
    let batch = Result { try Trace.span("waiting", "data") { try work.next() } }
    report.dataSeconds = (ContinuousClock.now - began) / .seconds(1)
    report.stopRequested = stop.isRequested
    check = isDebugging ? FiniteCheck() : nil
    switch batch {
    case .success(let latents):
      addGradients(work, latents, aligns: configuration.isAligned(at: position), &report)
    case .failure(let error):
      (unreadable, report.dataFailed) = (error, true)
      optimizer.clearGradients()
      // The other ranks wait for this one in the reduction.
      reduction.markFinal(0..<optimizer.gradients.elements.count)
    }
    report.seconds = (ContinuousClock.now - began) / .seconds(1)
    try Trace.span("waiting", "reduction") { try reduction.wait() }
    report.squaredNorm = optimizer.ownSquaredNorm()
    report.hasNonFinite = check?.firstFailure != nil
    let timing = StepTiming(
      data: report.dataSeconds, reduction: reduction.secondsBusy, reductionWait: reduction.secondsWaited)
    return (report, timing)
  }

  /// Adds up the gradients of all parts of the rank's slice; those of the last part are handed on as they become final.
  private func addGradients(_ work: StageWork, _ latents: LatentBatch, aligns: Bool, _ report: inout RankReport) {
    let stage = work.stage
    var adds = false
    for part in 0..<stage.accumulate {
      let range = work.samples(ofPart: part)
      guard !range.isEmpty else { continue }
      let share = Double(range.count) / Double(stage.batch)
      let isLast = part == stage.accumulate - 1
      let losses = work.objective.lossesAndGradients(
        optimizer.passWeights, work.draws.batch(latents, range, stage, aligns: aligns),
        configuration.factors(aligned: aligns), factor: share, gradients: optimizer.gradients,
        adds: adds, check: check, onFinal: { [reduction] in if isLast { reduction.markFinal($0) } })
      adds = true
      report.losses.add(losses, times: share)
    }
  }

  /// Measures the mean cosine between the gradients of the denoising loss and of the alignment, on the batches that
  /// come next, at each of the rule's times. All ranks call it and get the same number, or nil where one has to stop.
  func angle(
    _ rule: Configuration.AngleRule, _ work: StageWork, at position: TrainingPosition, hasToStop: () -> Bool
  ) throws -> Double? {
    let angle = GradientAngle(network.layout, block: rule.block)
    var sum = 0.0
    for time in rule.times {
      let reader = work.reader(dataset, from: position, ahead: 1)
      defer { reader.close() }
      for _ in 0..<rule.batches(in: work.stage) {
        if try optimizer.communicator.anyRank(hasToStop()) { return nil }
        let latents = try optimizer.communicator.agree { try reader.next() }
        for part in 0..<work.stage.accumulate {
          let range = work.samples(ofPart: part)
          guard !range.isEmpty else { continue }
          var batch = work.draws.batch(latents, range, work.stage, aligns: true)
          batch.times = batch.times.map { _ in time }
          angle.add(
            work.objective, optimizer.passWeights, batch, configuration.factors(aligned: true),
            factor: Double(range.count) / Double(work.stage.batch), gradients: optimizer.gradients)
        }
      }
      sum += try angle.cosine(optimizer.communicator)
    }
    return sum / Double(rule.times.count)
  }

  /// Updates the weights or skips the update, as rank zero decided.
  func update(_ stage: Stage, _ directive: Directive, at position: TrainingPosition) throws {
    guard directive.update == .make else { return }
    try optimizer.update(
      step: position.stageStep - position.skipped + 1, learningRate: stage.learningRate(at: position.stageStep),
      norm: directive.gradientNorm, clip: configuration.clip, ema: stage.emaDecay(at: position.stageStep),
      resting: configuration.isAligned(at: position) ? nil : network.layout.projector)
  }

  /// What the first rank says that could not read its part of the last batch, if there is one. All ranks call it.
  func unreadableData() throws -> String? { try firstMessage(unreadable.map { "\($0)" }) }

  /// Where the first rank found a number that is not finite, if one looked for it. All ranks call it.
  func foundNonFinite() throws -> String { try firstMessage(check?.firstFailure).map { "\($0); " } ?? "" }

  /// The message of the first rank that has one. All ranks get an answer, and rank zero's is complete.
  private func firstMessage(_ own: String?) throws -> String? {
    let found = try optimizer.communicator.gather(own ?? "")
    let rank = found.firstIndex { !$0.isEmpty }
    guard try optimizer.communicator.broadcast([rank == nil ? 0 : 1])[0] > 0 else { return nil }
    guard let rank else { return own ?? "failed at another rank" }
    return found.count > 1 ? "rank \(rank): \(found[rank])" : found[rank]
  }

  /// Compares the gradients of one batch with central differences, for debugging.
  func checkGradients(_ work: StageWork, at position: TrainingPosition) throws -> String? {
    guard isDebugging else { return nil }
    guard case .float32(let weights) = optimizer.weights else {
      return "gradients were not checked against differences: they are too coarse with `precision: bfloat16`"
    }
    let reader = work.reader(dataset, from: position, ahead: 1)
    defer { reader.close() }
    let batch = work.draws.batch(
      try reader.next(), work.samples(ofPart: work.stage.accumulate - 1), work.stage,
      aligns: configuration.isAligned(at: position))
    let check = GradientCheck(
      network, work.objective, weights: weights, passGradients: optimizer.gradients,
      factors: configuration.factors(aligned: configuration.isAligned(at: position)), seed: configuration.seed)
    return try optimizer.communicator.agree { try check.summary(batch) }
  }
}

import Foundation
import SprintTestSupport
import SprintTraining
import Testing

/// What rank zero decides from the ranks' reports.
@Suite struct CoordinatorTests {
  private func coordinator(
    _ settings: [String] = [], hasValidation: Bool = true, until: Int = .max, deadline: ContinuousClock.Instant? = nil
  ) throws -> Coordinator {
    let configuration = try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml",
        settings: [
          "checkpoint={interval: 4, keep: 1}", "validation={interval: 3, samples: 1}", "samples={interval: 5}",
        ] + settings))
    return Coordinator(
      configuration, hasValidation: hasValidation, until: until,
      budget: TimeBudget(configuration, ranks: 1, validationSamples: 1, deadline: deadline))
  }

  private func report(loss: Double = 1, seconds: Double = 1, stop: Bool = false, broken: Bool = false) -> RankReport {
    var report = RankReport()
    (report.losses.denoising, report.squaredNorm, report.seconds) = (loss, 8, seconds)
    (report.stopRequested, report.hasNonFinite) = (stop, broken)
    return report
  }

  private func circumstances(
    stopFileFound: Bool = false, lastSaveFailed: Bool = false, longestSave: Double = 10, isSaving: Bool = false,
    now: ContinuousClock.Instant = .now
  ) -> Circumstances {
    var circumstances = Circumstances()
    (circumstances.stopFileFound, circumstances.lastSaveFailed) = (stopFileFound, lastSaveFailed)
    (circumstances.longestSave, circumstances.isSaving, circumstances.now) = (longestSave, isSaving, now)
    return circumstances
  }

  private func position(_ step: Int, stage: Int = 0) -> TrainingPosition {
    var position = TrainingPosition()
    (position.step, position.stage, position.stageStep) = (step, stage, stage == 0 ? step : step - 10)
    return position
  }

  @Test("Losses are summed, the norm is that of all shards, and reports and directives travel whole")
  func sums() throws {
    var coordinator = try coordinator()
    let directive = coordinator.directive([report(loss: 0.25), report(loss: 0.5)], at: position(0))
    #expect(directive.losses.denoising == 0.75 && directive.gradientNorm == 4 && directive.update == .make)
    #expect(Directive(directive.numbers) == directive)
    let own = report(loss: 3, stop: true, broken: true)
    #expect(RankReport(own.numbers) == own)
  }

  @Test("The peak of matrix products is measured again every ten minutes, but not before a stop")
  func peak() throws {
    var coordinator = try coordinator()
    let began = ContinuousClock.now
    let due = [0, 590, 601, 602, 1100, 1210].map { seconds in
      coordinator.directive([report()], at: position(0), circumstances(now: began + .seconds(seconds))).measuresPeak
    }
    #expect(due == [false, false, true, false, false, true])
    #expect(
      !coordinator.directive([report(stop: true)], at: position(0), circumstances(now: began + .seconds(9999)))
        .measuresPeak)
  }

  @Test("Validation, pictures and checkpoints are due at their intervals and at the end of a stage")
  func intervals() throws {
    var coordinator = try coordinator()
    let due = (1...10).map { coordinator.directive([report()], at: position($0 - 1)) }
    #expect((1...10).filter { due[$0 - 1].validates } == [3, 6, 9, 10])
    #expect((1...10).filter { due[$0 - 1].drawsSamples } == [5, 10])
    #expect((1...10).filter { due[$0 - 1].savesCheckpoint } == [4, 8, 10])
    #expect(!due.contains { $0.stops })
    var without = try self.coordinator(hasValidation: false)
    #expect(!without.directive([report()], at: position(2)).validates)
  }

  @Test("A signal at any rank stops all with a checkpoint and leaves out what takes long")
  func signal() throws {
    var coordinator = try coordinator()
    let directive = coordinator.directive([report(), report(stop: true), report()], at: position(9))
    #expect(directive.stops && directive.savesCheckpoint && !directive.validates && !directive.drawsSamples)
    #expect(coordinator.notices.stopReason == .signal(ranks: [1]))
  }

  @Test("The run stops at the requested step, after what is due there")
  func until() throws {
    var coordinator = try coordinator(until: 3)
    #expect(!coordinator.directive([report()], at: position(1)).stops)
    let directive = coordinator.directive([report()], at: position(2))
    #expect(
      directive.stops && directive.savesCheckpoint && directive.validates && coordinator.notices.stopReason == .until)
  }

  @Test("The deadline leaves time for the next step and for the saves until then, with a tenth to spare")
  func deadline() throws {
    let now = ContinuousClock.now
    var coordinator = try coordinator(deadline: now + .seconds(100))
    coordinator.took(5, .step, at: position(0))
    func stops(_ seconds: Double, longestSave: Double, isSaving: Bool = false, after step: Int = 0) -> Bool {
      let circumstances = circumstances(
        longestSave: longestSave, isSaving: isSaving, now: now + .seconds(seconds))
      return coordinator.directive([report()], at: position(step), circumstances).stops
    }
    // 1.1 · (5 + 10) seconds and half a second to end the process.
    #expect(!stops(82.9, longestSave: 10) && stops(83.1, longestSave: 10))
    #expect(coordinator.notices.stopReason == .deadline)
    // The save under way, or the one that is due, comes first.
    #expect(!stops(71.9, longestSave: 10, isSaving: true) && stops(72.1, longestSave: 10, isSaving: true))
    #expect(!stops(71.9, longestSave: 10, after: 3) && stops(72.1, longestSave: 10, after: 3))
    #expect(
      !stops(60.9, longestSave: 10, isSaving: true, after: 3) && stops(61.1, longestSave: 10, isSaving: true, after: 3))
  }

  @Test("The deadline counts what is due with the time that it took last; where it does not fit, it is left out")
  func deadlineOfDuties() throws {
    let now = ContinuousClock.now
    var coordinator = try coordinator(deadline: now + .seconds(1000))
    coordinator.took(5, .step, at: position(0))
    coordinator.took(400, .validation, at: position(3))
    coordinator.took(200, .pictures, at: position(5))
    func directive(_ seconds: Double, after step: Int) -> Directive {
      coordinator.directive([report()], at: position(step - 1), circumstances(now: now + .seconds(seconds)))
    }
    #expect(!directive(542, after: 3).stops && directive(542, after: 3).validates)
    #expect(
      directive(544, after: 3).stops && !directive(544, after: 3).validates && directive(544, after: 3).savesCheckpoint)
    #expect(!directive(762, after: 5).stops && directive(764, after: 5).stops)
    #expect(!directive(900, after: 7).stops, "a long validation before does not stop a run in which none is due")
  }

  @Test("Steps of another stage are estimated by their work, and validation and pictures before one is measured")
  func deadlineOfEstimates() throws {
    let now = ContinuousClock.now
    let configuration = try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml", settings: ["validation.samples=64", "samples.interval=5"]))
    var budget = TimeBudget(configuration, ranks: 1, validationSamples: 64, deadline: now + .seconds(100))
    let (first, second) = (configuration.stages[0], configuration.stages[1])
    budget.took(10, .step, in: first)
    func needed(_ part: TimeBudget.Part, in stage: Stage) -> Double {
      // The smallest time left that is enough, found by bisection.
      var (low, high) = (0.0, 1e6)
      for _ in 0..<60 {
        let middle = (low + high) / 2
        let isOver = budget.isOver(for: [part], in: stage, saves: 0, at: now + .seconds(100 - middle))
        if isOver { low = middle } else { high = middle }
      }
      return (high - 0.5) / 1.1
    }
    let ratio =
      configuration.model.trainingWork(kept: configuration.keptTokens(in: second)) * Double(second.batch)
      / (configuration.model.trainingWork(kept: configuration.keptTokens(in: first)) * Double(first.batch))
    #expect(abs(needed(.step, in: first) - 10) < 1e-3 && abs(needed(.step, in: second) - 10 * ratio) < 1e-3)
    let image = configuration.model.forwardWork(kept: configuration.model.tokens)
    let step = configuration.model.trainingWork(kept: configuration.keptTokens(in: first)) * Double(first.batch)
    #expect(abs(needed(.validation, in: first) / (10 * 64 * image / step) - 1) < 1e-3)
    #expect(needed(.pictures, in: first) > needed(.validation, in: first) / 64)
    budget.took(3, .pictures, in: first)
    #expect(abs(needed(.pictures, in: second) - 3) < 1e-3)
    // Validation of 64 samples has two rounds, after each of which it can stop.
    budget.took(40, .validation, in: first)
    #expect(budget.isOver(during: .validation, in: first, saves: 0, at: now + .seconds(78)))
    #expect(!budget.isOver(during: .validation, in: first, saves: 0, at: now + .seconds(77)))
  }

  @Test("A stop file is found within a second and removed, and stops the run")
  func stopFile() throws {
    let folder = try TemporaryFolder()
    let (stopFile, now) = (StopFile(path: folder.file("stop")), ContinuousClock.now)
    #expect(!stopFile.isFound(now: now))
    try Data().write(to: URL(fileURLWithPath: folder.file("stop")))
    #expect(!stopFile.isFound(now: now + .seconds(0.5)), "it looks at most once a second")
    #expect(stopFile.isFound(now: now + .seconds(1.1)))
    #expect(!FileManager.default.fileExists(atPath: folder.file("stop")))
    var coordinator = try coordinator()
    #expect(coordinator.directive([report()], at: position(1), circumstances(stopFileFound: true)).stops)
    #expect(coordinator.notices.stopReason == .stopFile)
  }

  @Test("Numbers that are not finite fail or skip the update as configured, a failed check always fails it")
  func nonFinite() throws {
    var stopping = try coordinator()
    #expect(stopping.directive([report(), report(loss: .nan)], at: position(0)).update == .fail)
    var skipping = try coordinator(["non_finite=skip"])
    #expect(skipping.directive([report(), report(loss: .infinity)], at: position(0)).update == .skip)
    #expect(skipping.directive([report(broken: true)], at: position(0)).update == .fail)
    var unread = report()
    unread.dataFailed = true
    #expect(skipping.directive([report(), unread], at: position(0)).update == .fail)
    #expect(RankReport(unread.numbers) == unread)
  }

  @Test("The fiftieth skipped update in a row fails; while updates are skipped no checkpoint is due")
  func skippedInARow() throws {
    var skipping = try coordinator(["non_finite=skip", "stages[0].steps=100"])
    var position = TrainingPosition()
    for step in 1..<Coordinator.mostSkipped {
      let directive = skipping.directive([report(loss: .nan)], at: position)
      #expect(directive.update == .skip && !directive.savesCheckpoint, "step \(step)")
      position.advance(batch: 4, isSkipped: true)
    }
    #expect(skipping.directive([report(loss: .nan)], at: position).update == .fail)
    #expect(skipping.directive([report()], at: position).update == .make)
    position.advance(batch: 4, isSkipped: false)
    #expect(position.skippedInARow == 0 && position.skipped == Coordinator.mostSkipped - 1)
    #expect(skipping.directive([report(loss: .nan)], at: position).update == .skip)
  }

  @Test("A checkpoint that could not be written stops the run only where that is configured")
  func failedSave() throws {
    let failed = circumstances(lastSaveFailed: true)
    var goesOn = try coordinator()
    #expect(!goesOn.directive([report()], at: position(0), failed).stops)
    var stops = try coordinator(["checkpoint.on_failure=stop"])
    #expect(stops.directive([report()], at: position(0), failed).stops && stops.notices.stopReason == .failedSave)
    #expect(!stops.directive([report()], at: position(0), circumstances()).stops)
  }

  @Test("A rank that falls behind is named after ten steps and then every hundred, not at once")
  func slowRank() throws {
    var coordinator = try coordinator()
    var warned: [Int] = []
    for step in 1...250 {
      _ = coordinator.directive([report(), report(), report(seconds: 1.7), report()], at: position(0))
      if let slow = coordinator.notices.slowRank {
        #expect(slow.rank == 2 && slow.seconds == 1.7 && slow.median == 1)
        warned.append(step)
      }
    }
    #expect(warned == [10, 110, 210])
    _ = coordinator.directive([report(), report(seconds: 1.2)], at: position(0))
    #expect(coordinator.notices.slowRank == nil)
  }

  @Test("A stage is over after as many validations without gain as its patience allows")
  func plateau() {
    var position = position(5)
    let plateau = Stage.Plateau(patience: 2, threshold: 0.1)
    for (loss, isOver) in [(1.0, false), (0.95, false), (0.85, false), (0.8, false), (0.84, true)] {
      position.note(validationLoss: loss, plateau)
      #expect(position.isStageOver == isOver, "after \(loss)")
    }
    #expect(position.validated == 5)
    position.enterNextStage()
    #expect(!position.isStageOver && position.bestValidation == .infinity && position.stage == 1)
  }
}

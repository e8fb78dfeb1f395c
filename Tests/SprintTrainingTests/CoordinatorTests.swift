import Foundation
import SprintTestSupport
import SprintTraining
import Testing

/// What rank zero decides from the ranks' reports.
@Suite struct CoordinatorTests {
  private func coordinator(
    _ settings: [String] = [], hasValidation: Bool = true, until: Int = .max, deadline: Date? = nil
  ) throws -> Coordinator {
    let configuration = try Configuration(
      ConfigurationDocument(
        text: ConfigurationTests.valid, source: "c.yaml",
        settings: [
          "checkpoint={interval: 4, keep: 1}", "validation={interval: 3, samples: 1}", "samples={interval: 5}",
        ] + settings))
    return Coordinator(
      configuration, hasValidation: hasValidation, until: until, deadline: deadline)
  }

  private func report(loss: Double = 1, seconds: Double = 1, stop: Bool = false, broken: Bool = false) -> RankReport {
    var report = RankReport()
    (report.loss, report.squaredNorm, report.seconds) = (loss, 8, seconds)
    (report.stopRequested, report.hasNonFinite) = (stop, broken)
    return report
  }

  private func circumstances(
    stopFileFound: Bool = false, lastSaveFailed: Bool = false, longestSave: Double = 10, now: Date = Date()
  ) -> Circumstances {
    var circumstances = Circumstances()
    (circumstances.stopFileFound, circumstances.lastSaveFailed) = (stopFileFound, lastSaveFailed)
    (circumstances.longestSave, circumstances.now) = (longestSave, now)
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
    #expect(directive.loss == 0.75 && directive.gradientNorm == 4 && directive.update == .make)
    #expect(Directive(directive.numbers) == directive)
    let own = report(loss: 3, stop: true, broken: true)
    #expect(RankReport(own.numbers) == own)
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

  @Test("The deadline leaves time for two steps and one and a half times the longest save")
  func deadline() throws {
    let now = Date()
    var coordinator = try coordinator(deadline: now.addingTimeInterval(100))
    coordinator.stepped(seconds: 5)
    func stops(_ seconds: Double, longestSave: Double) -> Bool {
      let circumstances = circumstances(longestSave: longestSave, now: now.addingTimeInterval(seconds))
      return coordinator.directive([report()], at: position(0), circumstances).stops
    }
    #expect(!stops(74, longestSave: 10) && stops(76, longestSave: 10))
    #expect(!stops(29, longestSave: 40) && stops(31, longestSave: 40) && coordinator.notices.stopReason == .deadline)
  }

  @Test("A stop file is found within a second and removed, and stops the run")
  func stopFile() throws {
    let folder = try TemporaryFolder()
    let (stopFile, now) = (StopFile(path: folder.file("stop")), Date())
    #expect(!stopFile.isFound(now: now))
    try Data().write(to: URL(fileURLWithPath: folder.file("stop")))
    #expect(!stopFile.isFound(now: now.addingTimeInterval(0.5)), "it looks at most once a second")
    #expect(stopFile.isFound(now: now.addingTimeInterval(1.1)))
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

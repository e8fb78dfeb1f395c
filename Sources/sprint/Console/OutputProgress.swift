import ArgumentParser
import SprintKernels
import SprintTraining

/// Makes the images of an output and writes it, under progress bars.
struct OutputProgress {
  let output: SampleOutput
  let job: Job
  /// The number of all images.
  let count: Int

  /// Returns whether the output is there; false where a signal came before. All ranks call it.
  ///
  /// - Parameter samples: returns a whole tile of samples from an image on
  func finish(
    labels: [Int], _ origin: SampleOrigin, _ workers: Workers, _ samples: (_ first: Int) throws -> [Float]
  ) throws -> Bool {
    try showing("images") { report in
      try output.make(stopRequested: { job.stop.isRequested }, report: report, samples: samples)
    }
      && showing("images written") { report in
        try output.write(
          labels: labels, origin, workers, stopRequested: { job.stop.isRequested }, report: report)
      }
  }

  private func showing(_ what: String, _ work: (_ report: (Int) -> Void) throws -> Bool) throws -> Bool {
    let bar = ProgressBar()
    defer { bar.finish() }
    return try work { bar.show($0, of: count, what) }
  }

  /// Says that the command was interrupted; returns its exit code.
  var interruption: ExitCode {
    if Console.rank == 0 {
      Console.error(
        "sprint: interrupted after \(output.count) of \(count) images; run the same command again to go on")
    }
    return Console.restart
  }
}

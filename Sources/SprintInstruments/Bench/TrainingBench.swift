import Foundation
import SprintCommunication
import SprintData
import SprintKernels
import SprintModel
import SprintTraining

/// Measures training steps of the first stage of a configuration on noise. It runs the trainer itself, with its reader,
/// optimizer and ranks, but without checkpoints, validation and pictures.
package struct TrainingBench: Sendable {
  /// What is trained; its own data are replaced by noise.
  private let configuration: Configuration
  /// The name of the network in the result.
  private let name: String
  /// The number of steps; the first third warms up.
  private let steps: Int
  /// The number of threads of each rank.
  private let threads: Int
  /// The file that the timeline of rank zero's last step is written to; nil for none.
  package var trace: String?

  /// Makes a bench of the first stage of a configuration.
  ///
  /// - Parameter name: of the network in the result
  package init(_ configuration: Configuration, name: String, steps: Int, threads: Int) {
    (self.name, self.steps, self.threads) = (name, steps, threads)
    self.configuration = configuration.forBench(steps: steps, threads: threads)
  }

  /// Trains for the given number of steps. Returns the result at rank zero; nil at other ranks and after a stop
  /// request.
  package func run(_ communicator: Communicator = .single(), stop: StopRequest) throws -> Result? {
    let folder = try BenchFolder(communicator)
    defer { folder.remove() }
    var configuration = configuration
    configuration.data.train = ["\(folder.path)/latents-\(communicator.rank).h5"]
    try communicator.agree { try configuration.writeNoise() }
    let record = Record(threads: threads, steps: steps, traces: trace != nil && communicator.rank == 0) {
      communicator.bytesSent
    }
    let trainer = try Trainer(
      configuration, folder: RunFolder(path: "\(folder.path)/run"), resume: .never, communicator: communicator,
      report: record.note)
    let before = try communicator.measurePeak(configuration.precision, trainer.network.workers, side: 2048)
    Meter.start()
    defer { Meter.stop() }
    guard try trainer.run(stop: stop) == .finished else { return nil }
    let memory = (peak: ResidentMemory.peak, activations: Double(4 * trainer.passFloats))
    let after = try communicator.measurePeak(configuration.precision, trainer.network.workers, side: 2048)
    guard communicator.rank == 0 else { return nil }
    if let trace { try TraceFile(record.spans, rank: 0).write(to: trace) }
    return result(record.steps, peak: max(before.best, after.best), memory: memory, ranks: communicator.size)
  }

  private func result(
    _ all: [Record.Step], peak: Double, memory: (peak: Double, activations: Double), ranks: Int
  ) -> Result {
    let steady = Array(all.dropFirst(all.count / 3))
    let seconds = median(steady.map(\.seconds))
    let (model, stage) = (configuration.model, configuration.stages[0])
    let kept = configuration.keptTokens(in: stage)
    let aligned = configuration.alignedShare(ofStage: 0) * 3 * model.projectorWork(kept: kept)
    let rate = Double(stage.batch) / seconds * (model.trainingWork(kept: kept) + aligned)
    // The machine may have been quieter in the steps than in the measurements.
    let peak = max(peak, rate)
    func part(_ value: (Parts) -> Double) -> Double { median(steady.map { value($0.parts) }) }
    return Result(
      network: name, precision: configuration.precision, batch: stage.batch,
      ratio: 1 - Double(kept) / Double(model.tokens), ranks: ranks, threads: threads, steps: all.count,
      secondsPerStep: seconds, imagesPerSecond: Double(stage.batch) / seconds, gflops: rate / 1e9,
      peakGflops: peak / 1e9,
      peakShare: rate / peak, bytesSentPerStep: median(steady.map { Double($0.bytesSent) }),
      peakGib: memory.peak / 0x1p30, activationsGib: memory.activations / 0x1p30,
      parts: Parts(
        matrixProducts: part(\.matrixProducts), attention: part(\.attention), elementWise: part(\.elementWise),
        optimizer: part(\.optimizer), waitingForData: part(\.waitingForData), waitingForRanks: part(\.waitingForRanks),
        other: part(\.other)))
  }

  /// Collects the seconds of the trainer's steps.
  private final class Record {
    typealias Step = (seconds: Double, parts: Parts, bytesSent: Int)
    private let threads, count: Int
    private let traces: Bool
    private let bytesSent: () -> Int
    private var bytesBefore = 0
    private(set) var steps: [Step] = []
    /// The timeline of the last step, if it is traced.
    private(set) var spans: [Trace.Span] = []

    init(threads: Int, steps: Int, traces: Bool, bytesSent: @escaping () -> Int) {
      (self.threads, count, self.traces, self.bytesSent) = (threads, steps, traces, bytesSent)
    }

    func note(_ event: TrainingEvent) {
      guard case .step(let step) = event else { return }
      let spent = Meter.take().mapValues { $0 / Double(threads) }
      func seconds(_ part: Meter.Part) -> Double { spent[part] ?? 0 }
      let computing = seconds(.tasks)
      let named = seconds(.matrixProducts) + seconds(.attention) + seconds(.optimizer)
      steps.append(
        (
          step.timing.seconds,
          Parts(
            matrixProducts: seconds(.matrixProducts), attention: seconds(.attention),
            elementWise: max(0, computing - named), optimizer: seconds(.optimizer), waitingForData: step.timing.data,
            waitingForRanks: step.timing.reductionWait,
            other: max(0, step.timing.seconds - computing - step.timing.data - step.timing.reductionWait)),
          bytesSent() - bytesBefore
        ))
      bytesBefore = bytesSent()
      if traces, steps.count == count - 1 { Trace.start() }
      if traces, steps.count == count { spans = Trace.stop() }
    }
  }
}

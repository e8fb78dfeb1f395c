import SprintCommunication
import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// What the steps of one stage need at this rank: the objective, the random draws, and a reader of batches.
final class StageWork {
  let stage: Stage
  let objective: FlowMatching
  let draws: BatchDraws
  private let configuration: Configuration
  /// The samples of each global batch that belong to this rank.
  private let slice: Range<Int>
  private var batches: BatchReader?

  init(
    _ configuration: Configuration, _ stage: Stage, _ network: Network, _ dataset: LatentDataset,
    _ optimizer: Optimizer, _ memory: Arena, from position: TrainingPosition
  ) {
    (self.configuration, self.stage, slice) = (configuration, stage, stage.slice(of: optimizer.communicator))
    let size = configuration.passSize(stage, slice: slice.count)
    objective = FlowMatching(
      network, interpolant: configuration.interpolant,
      memory: PassMemory(network, size, in: memory, gradients: optimizer.gradients))
    draws = BatchDraws(configuration, batch: size.batch, workers: network.workers)
    batches = reader(dataset, from: position, ahead: 2)
  }

  /// The samples of the rank's slice that part `part` of an accumulated update computes.
  func samples(ofPart part: Int) -> Range<Int> { Workers.slice(part, of: stage.accumulate, total: slice.count) }

  /// A reader of the rank's part of each batch.
  func reader(_ dataset: LatentDataset, from position: TrainingPosition, ahead: Int) -> BatchReader {
    BatchReader(
      dataset, order: SampleOrder(count: dataset.count, seed: configuration.seed),
      randomness: LatentRandomness(seed: configuration.seed), batch: stage.batch, slice: slice,
      firstDraw: UInt64(position.draws), attention: draws.attentionRequest(stage),
      teacherBatches: configuration.alignedSteps(after: position),
      readsNeighbour: configuration.contrastWeight != 0, ahead: ahead)
  }

  /// The rank's part of the next batch.
  func next() throws -> LatentBatch {
    guard let batches else { preconditionFailure("the stage's reader is closed") }
    return try batches.next()
  }

  /// Ends reading ahead.
  func close() {
    batches?.close()
    batches = nil
  }
}

extension Stage {
  /// The samples of each global batch that belong to this rank.
  func slice(of communicator: Communicator) -> Range<Int> {
    Workers.slice(communicator.rank, of: communicator.size, total: batch)
  }
}

extension Configuration {
  /// The size of passes in a stage, for a rank with `slice` images of each batch. A pass that adds to the gradients of
  /// another one cannot keep activations among them.
  package func passSize(_ stage: Stage, slice: Int) -> PassSize {
    PassSize(
      batch: (slice + stage.accumulate - 1) / stage.accumulate, kept: keptTokens(in: stage),
      training: true, recompute: recompute, precision: precision,
      sharesGradients: stage.accumulate == 1)
  }
}

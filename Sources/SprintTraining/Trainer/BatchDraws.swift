import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// All random numbers that training needs beyond the latents themselves, as a function of (seed, draw index of the
/// sample).
final class BatchDraws {
  private let configuration: Configuration
  private let noise, time, keptTokens, pathDrop, labelDrop: Philox
  private let noiseMemory: NoiseMemory
  private let workers: Workers
  /// The kept tokens of the last batch; the next batch reuses their memory.
  private var kept = KeptTokens(ids: [], perSample: 1)

  /// Draws for batches of up to `batch` samples.
  init(_ configuration: Configuration, batch: Int, workers: Workers) {
    self.configuration = configuration
    self.workers = workers
    noise = Philox(seed: configuration.seed, purpose: .noise)
    time = Philox(seed: configuration.seed, purpose: .time)
    keptTokens = Philox(seed: configuration.seed, purpose: .keptTokens)
    pathDrop = Philox(seed: configuration.seed, purpose: .pathDrop)
    labelDrop = Philox(seed: configuration.seed, purpose: .labelDrop)
    noiseMemory = NoiseMemory(rows: batch, columns: configuration.model.latentElements)
  }

  /// Returns the training batch of the samples `range` of a rank's slice of a global batch.
  ///
  /// - Parameter aligns: whether it holds what there is of the teacher
  func batch(_ latents: LatentBatch, _ range: Range<Int>, _ stage: Stage, aligns: Bool) -> TrainingBatch {
    let draws = range.map { latents.firstDraw + UInt64($0) }
    workers.run(tasks: draws.count) { [noise, noiseMemory] _, b in
      noise.fillNormal(noiseMemory.values.vector(b).buffer, draw: draws[b])
    }
    let (tokens, layout) = (configuration.model.tokens, configuration.attentionLayout(in: stage))
    return TrainingBatch(
      data: latents.latents.rows(range), noise: noiseMemory.values.rows(0..<range.count),
      times: draws.map { configuration.time.draw(time, draw: $0) },
      labels: zip(range, draws).map {
        labelDrop.uniform(draw: $1) < Float(stage.labelDrop) ? configuration.model.classes : latents.labels[$0]
      },
      deepPath: DeepPath(
        kept: kept(draws, stage.drop), dropped: draws.map { pathDrop.uniform(draw: $0) < Float(stage.pathDrop) }),
      teacher: aligns ? latents.features?.rows(range.lowerBound * tokens..<range.upperBound * tokens) : nil,
      attention: !aligns
        ? nil
        : latents.attention.flatMap { values in
          layout.map { AttentionTargets(values.rows(range), $0) }
        })
  }

  /// The part of the teacher's attention that batches of a stage need, if there is alignment of attention.
  func attentionRequest(_ stage: Stage) -> AttentionRequest? {
    let (model, drop, random) = (configuration.model, stage.drop, keptTokens)
    guard let layout = configuration.attentionLayout(in: stage), let alignment = model.attentionAlignment else {
      return nil
    }
    return AttentionRequest(
      layout, isKept: alignment.blocks.map { drop != .none && model.section(of: $0) == .middle },
      kept: drop.keptCount(grid: model.grid)
    ) { draw, ids in drop.draw(random, draw: draw, grid: model.grid, into: ids) }
  }

  private func kept(_ draws: [UInt64], _ drop: TokenDrop) -> KeptTokens? {
    guard drop != .none else { return nil }
    let grid = configuration.model.grid
    kept.resize(to: draws.count, perSample: drop.keptCount(grid: grid))
    kept.forEachSample { sample, ids in drop.draw(keptTokens, draw: draws[sample], grid: grid, into: ids) }
    return kept
  }
}

extension Configuration {
  /// The places of a teacher's attention for one sample in a stage.
  func attentionLayout(in stage: Stage) -> AttentionLayout? { model.attentionLayout(kept: keptTokens(in: stage)) }
}

/// [B, C · S · S] noise of one batch.
private struct NoiseMemory: Sendable {
  let values: Matrix<Float>
  private let arena: Arena

  init(rows: Int, columns: Int) {
    arena = Arena(count: Arena.aligned(rows * columns))
    values = arena.matrix(rows: rows, columns: columns)
  }
}

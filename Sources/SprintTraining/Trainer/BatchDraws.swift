import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// All random numbers that training needs beyond the latents themselves, as a function of (seed, draw index of the
/// sample).
final class BatchDraws {
  private let configuration: Configuration
  private let noise, classTokenNoise, time, keptTokens, pathDrop, labelDrop: Philox
  private let noiseMemory, classTokenMemory: NoiseMemory
  private let workers: Workers
  /// The kept tokens of the last batch; the next batch reuses their memory.
  private var kept = KeptTokens(ids: [], perSample: 1)

  /// Draws for batches of up to `batch` samples.
  init(_ configuration: Configuration, batch: Int, workers: Workers) {
    self.configuration = configuration
    self.workers = workers
    noise = Philox(seed: configuration.seed, purpose: .noise)
    classTokenNoise = Philox(seed: configuration.seed, purpose: .classTokenNoise)
    time = Philox(seed: configuration.seed, purpose: .time)
    keptTokens = Philox(seed: configuration.seed, purpose: .keptTokens)
    pathDrop = Philox(seed: configuration.seed, purpose: .pathDrop)
    labelDrop = Philox(seed: configuration.seed, purpose: .labelDrop)
    // One row more, for the sample before the first one.
    noiseMemory = NoiseMemory(rows: batch + 1, columns: configuration.model.latentElements)
    classTokenMemory = NoiseMemory(rows: batch, columns: configuration.model.classToken ?? 0)
  }

  /// Returns the training batch of the samples `range` of a rank's slice of a global batch.
  ///
  /// - Parameter aligns: whether it holds what there is of the teacher
  func batch(_ latents: LatentBatch, _ range: Range<Int>, _ stage: Stage, aligns: Bool) -> TrainingBatch {
    let draws = range.map { latents.firstDraw + UInt64($0) }
    workers.run(tasks: draws.count) { [noise, noiseMemory] _, b in
      noise.fillNormal(noiseMemory.values.vector(b).buffer, draw: draws[b])
    }
    let (patches, layout) = (configuration.model.patches, configuration.attentionLayout(in: stage))
    return TrainingBatch(
      data: latents.latents.rows(range), noise: noiseMemory.values.rows(0..<range.count),
      classTokens: classTokens(latents, range, draws), before: neighbour(of: range, latents),
      times: draws.map(trainingTime),
      labels: zip(range, draws).map {
        labelDrop.uniform(draw: $1) < Float(stage.labelDrop)
          ? configuration.model.classes : configuration.model.id(ofLabel: latents.labels[$0])
      },
      deepPath: DeepPath(
        kept: kept(draws, stage.drop),
        dropped: draws.map {
          pathDrop.uniform(draw: stage.dropsPathsTogether ? latents.batchDraw : $0) < Float(stage.pathDrop)
        }),
      teacher: aligns ? latents.features?.rows(range.lowerBound * patches..<range.upperBound * patches) : nil,
      attention: !aligns
        ? nil
        : latents.attention.flatMap { values in
          layout.map { AttentionTargets(values.rows(range), $0) }
        })
  }

  private func trainingTime(_ draw: UInt64) -> Float {
    configuration.timeShift(configuration.time.draw(time, draw: draw))
  }

  private func classTokens(
    _ latents: LatentBatch, _ range: Range<Int>, _ draws: [UInt64]
  ) -> TrainingBatch.ClassTokens? {
    guard let data = latents.classTokens else { return nil }
    for (b, draw) in draws.enumerated() {
      classTokenNoise.fillNormal(classTokenMemory.values.vector(b).buffer, draw: draw)
    }
    return TrainingBatch.ClassTokens(data: data.rows(range), noise: classTokenMemory.values.rows(0..<range.count))
  }

  /// The sample before the first one of `range` in the global batch; that before a batch's first sample is its last.
  private func neighbour(of range: Range<Int>, _ latents: LatentBatch) -> TrainingBatch.Neighbour? {
    guard let before = latents.before else { return nil }
    let isInside = range.lowerBound > 0
    let draw = isInside ? latents.firstDraw + UInt64(range.lowerBound - 1) : before.draw
    let noise = noiseMemory.values.vector(range.count)
    self.noise.fillNormal(noise.buffer, draw: draw)
    return TrainingBatch.Neighbour(
      data: isInside ? latents.latents.vector(range.lowerBound - 1) : before.latent, noise: noise,
      time: trainingTime(draw))
  }

  /// The part of the teacher's attention that batches of a stage need, if there is alignment of attention.
  func attentionRequest(_ stage: Stage) -> AttentionRequest? {
    let (model, drop, random) = (configuration.model, stage.drop, keptTokens)
    guard let layout = configuration.attentionLayout(in: stage), let alignment = model.attentionAlignment else {
      return nil
    }
    return AttentionRequest(
      layout, isKept: alignment.blocks.map { drop != .none && model.section(of: $0) == .middle },
      kept: drop.keptCount(in: model)
    ) { draw, ids in drop.draw(random, draw: draw, in: model, into: ids) }
  }

  private func kept(_ draws: [UInt64], _ drop: TokenDrop) -> KeptTokens? {
    guard drop != .none else { return nil }
    let model = configuration.model
    kept.resize(to: draws.count, perSample: drop.keptCount(in: model))
    kept.forEachSample { sample, ids in drop.draw(keptTokens, draw: draws[sample], in: model, into: ids) }
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

import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel

/// The memory that the ranks of a run take, by part. `plan` shows it, and `train` compares it with what the machine
/// has.
package struct MemoryNeed: Sendable {
  /// A part of a rank's memory.
  package struct Part: Sendable, Encodable {
    /// What the memory holds.
    package var part: String
    /// The size in bytes.
    package var bytes: Double
    /// Whether only rank zero has this part.
    package var isRankZeroOnly = false
  }

  /// All parts.
  package let parts: [Part]

  private let threads, otherThreads: Int

  /// Bytes that rank zero, or another rank, takes of a limit.
  package func bytes(of limit: MachineMemory.Limit = .host, isRankZero: Bool) -> Double {
    parts.filter { isRankZero || !$0.isRankZeroOnly }.reduce(0) { $0 + $1.bytes } + overhead(of: limit)
  }

  /// Bytes that a rank takes of a limit beside the parts, without touching them.
  package func overhead(of limit: MachineMemory.Limit) -> Double {
    guard limit != .host else { return 0 }
    // A stack and, of the address space, what malloc reserves for a thread.
    let thread = limit == .addressSpace ? 72 * 0x1p20 : 8 * 0x1p20
    let idle = Double(otherThreads) * thread + Double(PeakRate.bytes(threads: threads))
    return BLAS.threadBytes(threads, of: limit) + idle
  }

  /// Computes what a run on `ranks` ranks of `threads` threads each takes.
  package init(_ configuration: Configuration, ranks: Int, threads: Int) {
    self.threads = threads
    // One reads batches, one saves, and one talks to the other ranks.
    otherThreads = ranks > 1 ? 3 : 2
    let model = configuration.model
    let weights = ParameterLayout(model).count
    let shards = configuration.distribution.isSharded ? Double(ranks) : 1
    let passes = configuration.stages.map { configuration.passSize($0, slice: $0.imagesPerRank(ranks)) }
    var parts = [
      Part(part: "weights", bytes: Self.weights(weights, configuration.precision, shards)),
      Part(part: "gradients", bytes: 4 * Double(weights)),
      Part(part: "moving average and moments", bytes: 12 * Double(weights) / shards),
      Part(part: "activations", bytes: passes.map { Self.bytes(model, threads, $0) }.max() ?? 0),
      Part(part: "batches", bytes: Self.batches(configuration, ranks, passes)),
    ]
    // The measurement at the start ends before activations and batches are touched.
    let measurement = Double(PeakRate.bytes(threads: threads)) - parts.suffix(2).reduce(0) { $0 + $1.bytes }
    let between = max(
      0, measurement, Self.validation(configuration, threads), Self.pictures(configuration, threads),
      Self.angle(configuration))
    parts.append(Part(part: "validation, pictures or measurement", bytes: between))
    if ranks > 1 { parts.append(Part(part: "buckets on their way", bytes: 4 * Double(BucketPlan.bucketFloats))) }
    if configuration.checkpoint.isOn, configuration.checkpoint.isBackground {
      let bytes = Double(TrainingPart.bytes(weights: weights))
      parts.append(Part(part: "snapshot for saving", bytes: bytes, isRankZeroOnly: true))
    }
    self.parts = parts
  }

  /// The weights that passes read and, if those are rounded, the exact ones that a rank updates.
  private static func weights(_ count: Int, _ precision: Precision, _ shards: Double) -> Double {
    let exact = precision == .float32 ? 0 : 4 * Double(count) / shards
    return Double(precision.bytes * count) + exact
  }

  /// Returns the bytes in which passes of a size are computed.
  private static func bytes(_ model: ModelConfiguration, _ threads: Int, _ size: PassSize) -> Double {
    4 * Double(PassMemory.count(model, threads: threads, size))
  }

  /// The batches that are read ahead and the noise of a pass.
  private static func batches(_ configuration: Configuration, _ ranks: Int, _ passes: [PassSize]) -> Double {
    let model = configuration.model
    let features = model.projector.map { Double(model.patches) * Double($0.featureWidth) } ?? 0
    let latents = Double(model.stateElements)
    // The reader holds two batches ahead of the one in use; a pass adds its noise, its inputs and its targets.
    let read = configuration.stages.enumerated().map { index, stage in
      let isTaught = configuration.alignedShare(ofStage: index) > 0
      let attention = isTaught ? Double(configuration.attentionLayout(in: stage)?.count ?? 0) : 0
      return 3 * Double(stage.imagesPerRank(ranks)) * (latents + features + attention)
    }
    return 4 * ((read.max() ?? 0) + 3 * Double(passes.map(\.batch).max() ?? 0) * latents)
  }

  /// The two gradients of a block whose angle is measured.
  private static func angle(_ configuration: Configuration) -> Double {
    guard let rule = configuration.alignment?.angle else { return 0 }
    return 4 * 2 * Double(GradientAngle.count(ParameterLayout(configuration.model), block: rule.block))
  }

  private static func validation(_ configuration: Configuration, _ threads: Int) -> Double {
    guard !configuration.data.validation.isEmpty else { return 0 }
    let batch = min(HeldOutLoss.batch, configuration.validation.samples)
    // Data, noise, inputs and targets beside the pass itself.
    return bytes(configuration.model, threads, PassSize(batch: batch, training: false))
      + 4 * 4 * Double(batch) * Double(configuration.model.stateElements)
  }

  /// The autoencoder, the images of a tile as floats, and all of them twice as bytes: in records and in the picture.
  private static func decoder(_ samples: Configuration.Samples, _ model: ModelConfiguration, _ threads: Int, tile: Int)
    -> Double
  {
    guard let path = samples.autoencoder,
      let need = LatentDecoder.memory(path: path, side: model.side, threads: threads)
    else {
      return 0
    }
    let pixels = 3 * Double(need.imageSide * need.imageSide)
    return need.bytes + 4 * Double(tile) * pixels + 2 * Double(samples.imageCount + tile) * pixels
  }

  private static func pictures(_ configuration: Configuration, _ threads: Int) -> Double {
    let (samples, model) = (configuration.samples, configuration.model)
    guard samples.interval != nil else { return 0 }
    let tile = SampleGenerator.tile(model)
    let rows = samples.sampler.guidance.kind == .none ? tile : 2 * tile
    let images = Double(samples.imageCount) + Double(rows)
    // The images as floats, their state in double precision, and the picture.
    return bytes(model, threads, PassSize(batch: rows, training: false)) + 16 * images * Double(model.stateElements)
      + decoder(samples, model, threads, tile: tile)
  }
}

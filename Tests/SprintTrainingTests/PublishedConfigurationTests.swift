import Foundation
import SprintDiffusion
import SprintKernels
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

/// The published schedule, read from snap-research/Sprint (configs/train, train.py, src/scheduler/flow_matching.py).
/// If one of these fails, someone who repeats the paper gets another run.
@Suite struct PublishedConfigurationTests {
  /// What the published configurations for SiT-XL/2 say of a stage; the full-token stage's rate depends on the images.
  private func check(_ stages: [Stage], fullRate: Double, _ name: String) throws {
    try #require(stages.count == 2)
    let (masked, full) = (stages[0], stages[1])
    #expect(masked.steps == 1_000_000 && full.steps == 100_000, "\(name)")
    #expect(masked.batch == 256 && full.batch == 1024, "\(name)")
    #expect(masked.learningRate == 1e-4 && full.learningRate == fullRate, "\(name)")
    #expect(masked.warmup == 0 && full.warmup == 5000 && full.warmupStart == 0.01, "\(name)")
    #expect(masked.drop == .structured(group: 2, kept: 1) && full.drop == .none, "\(name)")
    #expect(masked.earlyEMA == nil && full.earlyEMA == Stage.EarlyDecay(0.999, updates: 5000 / 8 + 1), "\(name)")
    #expect(full.start == .ema, "\(name)")
    for stage in stages {
      #expect(stage.pathDrop == 0.1 && stage.labelDrop == 0.1 && stage.ema == 0.9999, "\(name)")
      #expect(stage.finalRate == 1 && !stage.emaWarmup && stage.plateau == nil, "\(name)")
    }
  }

  @Test("The defaults of a configuration without stages are the published ones")
  func defaults() throws {
    try check(Stage.published, fullRate: 2e-4, "defaults")
  }

  @Test(
    "Every configuration for ImageNet has the published schedule, optimizer and diffusion",
    arguments: ["256-S", "256-B", "256-L", "256-XL", "256-XL-repa", "256-XL-haste", "512-XL"])
  func configurations(name: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let document = try ConfigurationDocument(path: root.appending(path: "configs/imagenet\(name).yaml").path)
    let configuration = try Configuration(document)
    try check(configuration.stages, fullRate: name == "512-XL" ? 1.5e-4 : 2e-4, name)
    let (optimizer, model) = (configuration.optimizer, configuration.model)
    #expect(optimizer.beta1 == 0.9 && optimizer.beta2 == 0.999 && optimizer.epsilon == 1e-8)
    #expect(optimizer.weightDecay == 0 && configuration.clip == 1)
    #expect(configuration.interpolant == .straight && configuration.time == .lognormal)
    #expect(model.encoderDepth == 2 && model.decoderDepth == 2 && model.patch == 2 && model.classes == 1000)
    #expect(model.side == (name == "512-XL" ? 64 : 32) && !configuration.data.flips)
    // The published code calls the projector after the block of index 7.
    let projector =
      name.hasSuffix("repa") || name.hasSuffix("haste")
      ? ProjectorConfiguration(hidden: 2048, featureWidth: 768, afterBlock: 8) : nil
    #expect(
      model.projector == projector && configuration.alignment?.factors.alignment == (projector == nil ? nil : 0.5))
    // Blocks 4 to 7, counted from 0, and the end of alignment that HASTE gives for XL.
    let attention = name.hasSuffix("haste") ? AttentionAlignment(blocks: [4, 5, 6, 7], heads: 12) : nil
    #expect(model.attentionAlignment == attention)
    #expect(configuration.alignment?.factors.attention ?? 0 == (attention == nil ? 0 : 0.5))
    #expect(configuration.alignment?.lastStep == (attention == nil ? nil : 250_000))
  }

  /// Read from SwayStar123/SpeedrunDiT (train.sh, train.py, loss.py, models/sit.py).
  @Test("The configurations of SR-DiT have its network, losses, times and single stage", arguments: [256, 512])
  func srdit(resolution: Int) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let path = root.appending(path: "configs/imagenet\(resolution)-SRDiT-B.yaml").path
    let configuration = try Configuration(ConfigurationDocument(path: path))
    let model = configuration.model
    #expect(model.isSRDiT && model.startsMaskTokenAtZero && model.headNormEpsilon == 0x1p-23)
    #expect(model.side == resolution / 16 && model.channels == 32 && model.patch == 1 && model.classToken == 768)
    #expect((model.encoderDepth, model.middleDepth, model.decoderDepth) == (2, 8, 2))
    #expect(model.projector == ProjectorConfiguration(hidden: 2048, featureWidth: 768, afterBlock: 2))
    // "140 M" in the paper; sit.py's class has 197,376 more of fixed positions.
    #expect(ParameterLayout(model).count == 140_037_675)
    #expect(
      configuration.factors(aligned: true) == LossWeights(alignment: 0.5, classToken: 0.03, contrast: 0.05))
    let shift = (32.0 * Double(model.side * model.side) / 4096).squareRoot()
    #expect(configuration.time == .uniform && configuration.timeShift.factor == shift)
    #expect(configuration.clip == 1 && configuration.optimizer.weightDecay == 0 && !configuration.data.flips)
    let stage = try #require(configuration.stages.first)
    #expect(configuration.stages.count == 1 && stage.steps == 400_000 && stage.batch == 256)
    #expect(stage.learningRate == 1e-4 && stage.warmup == 0 && stage.finalRate == 1 && stage.ema == 0.9999)
    #expect(stage.drop == .random(ratio: 0.75) && stage.pathDrop == 0.05 && stage.dropsPathsTogether)
    #expect(stage.drop.keptCount(in: model) == (resolution == 256 ? 64 : 256))
    let guidance = configuration.samples.sampler.guidance
    #expect(guidance.kind == .pathDrop && guidance.scale == 2.5 && guidance.interval == 0...0.85)
  }

  @Test("The warm-up, the two decays and the times of both paths are the published formulas as Python computes them")
  func formulas() throws {
    let updates = [0, 1, 2, 17, 624, 625, 626, 4999, 5000, 5001, 90000]
    let random = Philox(seed: 3, purpose: .time)
    let normals = (0..<9 as Range<UInt64>).map { random.normal(draw: $0) }
    let script = """
      import math
      for i in \(updates):
          # torch's LinearLR with start_factor 0.01 and total_iters 5000, which train.py steps until then
          print(2e-4 * (0.01 + (1 - 0.01) * min(i, 5000) / 5000))
          print(0.999 if i <= 5000 // 8 else 0.9999)
      for n in \(normals):
          print(1 / (1 + math.exp(-n)))
          print(2 / math.pi * math.atan(math.exp(n)))
      """
    let outcome = try Python.run(["-c", script])
    let expected = outcome.output.split(separator: "\n").compactMap { Double($0) }
    let stage = Stage.published[1]
    let found =
      updates.flatMap { [stage.learningRate(at: $0), stage.emaDecay(at: $0)] }
      + (0..<9 as Range<UInt64>).flatMap { draw in
        [TimeDistribution.lognormal, .lognormalAngle].map { Double($0.draw(random, draw: draw)) }
      }
    #expect(found.count == expected.count, "\(outcome)")
    // A time is a float32 number below one.
    for (i, (a, b)) in zip(found, expected).enumerated() {
      #expect(abs(a - b) <= 1e-7 * (i < 2 * updates.count ? b : 1), "\(a) instead of \(b)")
    }
  }
}

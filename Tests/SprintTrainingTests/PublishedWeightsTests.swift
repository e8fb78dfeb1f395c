import SprintFormats
import SprintKernels
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct PublishedWeightsTests {
  private let folder: TemporaryFolder
  private let model: TinyModel

  init() throws {
    folder = try TemporaryFolder()
    var configuration = TinyModel.configuration(depth: (2, 2, 1))
    (configuration.norm, configuration.mixesValues, configuration.position) = (.rms, true, .rotaryAndSines)
    (configuration.fusion, configuration.outputOrder, configuration.learnsMaskToken) = (
      .shallowFirst, .channelLast, true
    )
    configuration.classToken = 12
    configuration.headNormEpsilon = 0x1p-23
    configuration.projector = ProjectorConfiguration(hidden: 16, featureWidth: 12, afterBlock: 2)
    model = TinyModel(configuration)
  }

  @Test(
    "SR-DiT's parts are written under its names and shapes, with its tables, and come back in the same bits"
  )
  func roundTrip() throws {
    let path = folder.file("w.safetensors")
    try WeightsFile.write(model.weights, metadata: [:], to: path)
    let file = try SafetensorsFile(path: path)
    let shapes = [
      "blocks.0.attn.qkv.weight": [72, 24], "blocks.3.attn.v1_lambda": [], "blocks.4.mlp.fc2.bias": [24],
      "fusion_proj.weight": [24, 48], "x_embedder.proj.weight": [24, 2, 2, 2], "projectors.0.4.weight": [12, 16],
      "cls_projectors2.weight": [24, 12], "wg_norm.weight": [24], "final_layer.linear_cls.weight": [12, 24],
      "pos_embed": [1, 17, 24], "feat_rope.freqs_cos": [16, 12], "feat_rope.freqs_sin": [16, 12],
    ]
    for (name, shape) in shapes { #expect(file.entries[name]?.shape == shape, "\(name)") }
    #expect(file.entries["blocks.0.attn.v1_lambda"] == nil, "the first block mixes no values")
    #expect(!file.entries.keys.contains { $0.contains("_blocks.") || $0.contains("renoise") })
    let arena = ParameterArena<Float>(model.network)
    try WeightsFile(path: path).read(into: arena)
    #expect(arena.elements.array == model.weights.elements.array)
  }

  @Test("Weights of another side are read where its tables, which the network computes itself, may have other shapes")
  func otherSide() throws {
    var configuration = model.network.configuration
    configuration.side = 16
    let (large, path) = (TinyModel(configuration), folder.file("w.safetensors"))
    try WeightsFile.write(model.weights, metadata: [:], to: path)
    let arena = ParameterArena<Float>(large.network)
    #expect { try WeightsFile(path: path).read(into: arena) } throws: {
      ($0 as? FileError)?.remedy as? WeightsRemedy == .allowShapes(["feat_rope.*", "pos_embed"])
    }
    try WeightsFile(path: path).read(into: arena, .ema, .init(shapes: ["feat_rope.*", "pos_embed"]))
    #expect(arena.elements.array == model.weights.elements.array)
  }

  @Test("Files without the tables are read; positions that were trained are refused, as the network would not use them")
  func tables() throws {
    let path = folder.file("w.safetensors")
    try WeightsFile.write(model.weights, metadata: [:], to: path)
    let file = try SafetensorsFile(path: path)
    func rewrite(_ change: (String, [Float]) -> [Float]?) throws -> String {
      let arena = Arena(count: file.entries.values.reduce(0) { $0 + Arena.aligned($1.shape.reduce(1, *)) })
      let tensors = try file.entries.compactMap { name, entry -> SafetensorsFile.Tensor? in
        guard let values = change(name, try file.floats(name)) else { return nil }
        let place: Matrix<Float> = arena.matrix(rows: 1, columns: values.count)
        for (i, value) in values.enumerated() { place.base[i] = value }
        return .init(name: name, shape: entry.shape, values: UnsafeBufferPointer(place.flattened.buffer))
      }
      let target = folder.file("changed.safetensors")
      try withExtendedLifetime(arena) { try SafetensorsFile.write(tensors, metadata: [:], to: target) }
      return target
    }
    let arena = ParameterArena<Float>(model.network)
    let bare = try rewrite { $0.hasPrefix("feat_rope") || $0 == "pos_embed" ? nil : $1 }
    try WeightsFile(path: bare).read(into: arena)
    #expect(arena.elements.array == model.weights.elements.array)
    let trained = try rewrite { $0 == "pos_embed" ? $1.map { $0 + 0.1 } : $1 }
    #expect { try WeightsFile(path: trained).read(into: arena) } throws: { "\($0)".contains("pos_embed[0]") }
  }

  @Test(
    "SR-DiT's class loads the weights strictly and finds the same velocities",
    .enabled(if: Python.has("torch", "safetensors"), Comment(rawValue: Python.lacks("torch"))))
  func strict() throws {
    let (weights, inputs, out) = (
      folder.file("w.safetensors"), folder.file("i.safetensors"), folder.file("o.safetensors")
    )
    try WeightsFile.write(model.weights, metadata: [:], to: weights)
    var random = Randomness()
    let (latents, tokens) = (random.matrix(2, 128), random.matrix(2, 12))
    let (times, labels): ([Float], [Float]) = ([0.3, 0.8], [1, 3])
    try times.withUnsafeBufferPointer { times in
      try labels.withUnsafeBufferPointer { labels in
        try SafetensorsFile.write(
          [
            .init(name: "x", shape: [2, 2, 8, 8], values: UnsafeBufferPointer(latents.view.flattened.buffer)),
            .init(name: "token", shape: [2, 12], values: UnsafeBufferPointer(tokens.view.flattened.buffer)),
            .init(name: "t", shape: [2], values: times), .init(name: "y", shape: [2], values: labels),
          ], metadata: [:], to: inputs)
      }
    }
    let outcome = try Python.run([
      "Tests/Reference/srdit_velocity.py", weights, inputs, out, "width=24", "heads=2", "depth=2,2,1", "side=8",
      "channels=2", "patch=2", "classes=3", "projector=16", "feature_width=12",
    ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let memory = PassMemory(model.network, PassSize(batch: 2, training: false))
    var pass = Pass()
    model.network.forward(
      model.weights,
      NetworkInput(
        latents: latents.view, classTokens: tokens.view, times: times, labels: labels.map { Int($0) },
        deepPath: .all(batch: 2)), into: &pass, in: memory)
    let expected = try SafetensorsFile(path: out)
    for (name, found) in [("velocity", memory.velocity), ("token_velocity", memory.classVelocity)] {
      let values = try #require(found).flattened.array.map(Double.init)
      #expect(relativeError(values, try expected.floats(name).map(Double.init)) < 2e-5)
    }
  }
}

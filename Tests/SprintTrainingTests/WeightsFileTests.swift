import Foundation
import SprintFormats
import SprintKernels
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct WeightsFileTests {
  private let folder: TemporaryFolder
  private let model = TinyModel(TinyModel.configuration())

  init() throws { folder = try TemporaryFolder() }

  /// Writes the model's weights under other names; a nil name leaves the weights out.
  private func write(_ name: String, more: [String] = [], _ rename: (String) -> String? = { $0 }) throws -> String {
    let path = folder.file(name)
    let one: [Float] = [1]
    try one.withUnsafeBufferPointer { one in
      let tensors = model.network.layout.parameters.compactMap { parameter in
        rename(parameter.name).map {
          SafetensorsFile.Tensor(
            name: $0, shape: parameter.shape, values: UnsafeBufferPointer(model.weights[parameter].buffer))
        }
      }
      try SafetensorsFile.write(
        tensors + more.map { SafetensorsFile.Tensor(name: $0, shape: [1], values: one) }, metadata: [:], to: path)
    }
    return path
  }

  private func read(
    _ path: String, _ allowance: WeightsFile.Allowance = .init(), _ choice: WeightsSource.Choice = .ema
  ) throws -> [Float] {
    let arena = ParameterArena<Float>(model.network)
    try WeightsFile(path: path).read(into: arena, choice, allowance)
    return arena.elements.array
  }

  /// Writes two sets of weights: the model's, and the same doubled.
  private func write(_ name: String, plain: String, doubled: String) throws -> String {
    let twice = ParameterArena<Float>(model.network)
    for i in 0..<twice.elements.count { twice.elements[i] = 2 * model.weights.elements[i] }
    func tensors(_ arena: ParameterArena<Float>, _ prefix: String) -> [SafetensorsFile.Tensor] {
      arena.layout.parameters.map {
        .init(name: prefix + $0.name, shape: $0.shape, values: UnsafeBufferPointer(arena[$0].buffer))
      }
    }
    try SafetensorsFile.write(
      tensors(model.weights, plain) + tensors(twice, doubled), metadata: [:], to: folder.file(name))
    return folder.file(name)
  }

  private func remedy(_ error: any Error) -> WeightsRemedy? { (error as? FileError)?.remedy as? WeightsRemedy }

  @Test("Weights come back with the same bits")
  func roundTrip() throws {
    try WeightsFile.write(model.weights, metadata: ["a": "b"], to: folder.file("w.safetensors"))
    #expect(try read(folder.file("w.safetensors")) == model.weights.elements.array)
    #expect(try WeightsFile(path: folder.file("w.safetensors")).metadata == ["a": "b", "format": "pt"])
  }

  @Test(
    "A prefix of all names is taken off, whatever it is, and PyTorch's wrappers anywhere in a name",
    arguments: [
      "module.", "_orig_mod.", "module._orig_mod.", "ema.", "model.", "ema_model.module.", "state_dict.model.", "net.",
      "state_dict.ema.module.", "diffusion_model.", "a.b._orig_mod.c.",
    ])
  func prefixes(prefix: String) throws {
    #expect(try read(write("p.safetensors") { prefix + $0 }) == model.weights.elements.array)
    // Blocks that were compiled one by one.
    let inside = try write("i.safetensors") { name in
      prefix + name.replacing(/(blocks\.\d+)\./) { "\($0.1)._orig_mod." }
    }
    #expect(try read(inside) == model.weights.elements.array)
    // Names that the network lacks are reported and allowed without the prefix.
    let long = try write("l.safetensors", more: ["\(prefix)projectors.0.weight"]) { prefix + $0 }
    #expect { try read(long) } throws: { "\($0)".contains(": projectors.0.weight") }
    #expect(try read(long, .init(surplus: ["projectors.*"])) == model.weights.elements.array)
  }

  @Test(
    "Of two sets the average is read unless the other one is asked for, and a line says so",
    arguments: [("model.", "ema."), ("", "ema."), ("net.", "net_ema."), ("state_dict.model.", "state_dict.ema_model.")])
  func twoSets(plain: String, average: String) throws {
    let path = try write("both.safetensors", plain: plain, doubled: average)
    #expect(try read(path) == model.weights.elements.array.map { 2 * $0 })
    #expect(try read(path, .init(), .model) == model.weights.elements.array)
    let notices = try WeightsFile(path: path).read(into: ParameterArena(model.network))
    let notice = try #require(notices.first)
    #expect(
      notices.count == 1 && notice.contains("reading the weights under `\(average)`") && notice.contains("leaving out"),
      "\(notice)")
    #expect(
      try WeightsFile(path: write("one.safetensors") { plain + $0 }).read(into: ParameterArena(model.network)).isEmpty)
  }

  @Test("Two sets of which neither or each is the average are refused, and an average alone where others are asked for")
  func unclear() throws {
    for (first, second) in [("model.", "net."), ("ema.", "ema_model.")] {
      let path = try write("two.safetensors", plain: first, doubled: second)
      #expect { try read(path) } throws: { "\($0)".contains("`\(first)`") && "\($0)".contains("`\(second)`") }
    }
    let average = try write("ema.safetensors") { "ema." + $0 }
    #expect { try read(average, .init(), .model) } throws: { "\($0)".contains("`ema.`") }
  }

  @Test("Names with different prefixes are listed with them", arguments: [("ema.", "model."), ("a.", "")])
  func mixedPrefixes(first: String, second: String) throws {
    var isFirst = false
    let path = try write("mixed.safetensors") {
      isFirst.toggle()
      return (isFirst ? first : second) + $0
    }
    #expect { try read(path) } throws: {
      "\($0)".contains("lacks weights") && "\($0)".contains("`\(first)`")
        && "\($0)".contains(second.isEmpty ? "without a prefix" : "`\(second)`")
    }
  }

  @Test(
    "Names of other networks are recognised",
    arguments: [
      ("transformer_blocks.0.attn1.to_q.weight", "diffusers"), ("down_blocks.1.resnets.0.conv1.weight", "diffusers"),
      ("blocks.3.attn.qkv.weight", "DiT and SiT"), ("ema.blocks.3.mlp.fc1.bias", "DiT and SiT"),
      ("encoder.conv_in.weight", "autoencoder"), ("double_blocks.0.img_attn.qkv.weight", "FLUX"),
    ])
  func otherNetworks(name: String, origin: String) throws {
    #expect { try read(write("other.safetensors", more: [name]) { _ in nil }) } throws: { "\($0)".contains(origin) }
  }

  @Test("Weights are read from shards by their index, and from the folder of the index")
  func shards() throws {
    let names = model.network.layout.parameters.map(\.name)
    let later = Set(names.dropFirst(5))
    _ = try write("w-00001-of-00002.safetensors") { later.contains($0) ? nil : "ema.\($0)" }
    _ = try write("w-00002-of-00002.safetensors") { later.contains($0) ? "ema.\($0)" : nil }
    let map = Dictionary(
      uniqueKeysWithValues: names.map { ("ema.\($0)", "w-0000\(later.contains($0) ? 2 : 1)-of-00002.safetensors") })
    let index = folder.file("w.safetensors.index.json")
    try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(to: URL(fileURLWithPath: index))
    for path in [index, folder.path] { #expect(try read(path) == model.weights.elements.array) }
    #expect { try read(folder.file("w-00002-of-00002.safetensors")) } throws: { "\($0)".contains("\(index)") }
  }

  @Test("Missing and surplus names give an error that lists them and names the remedy, unless a pattern allows them")
  func names() throws {
    let short = try write("short.safetensors") { $0.hasPrefix("renoise_linear") ? nil : $0 }
    #expect { try read(short) } throws: {
      "\($0)".contains("renoise_linear.bias, renoise_linear.weight") && remedy($0) == .allowMissing
    }
    #expect(throws: FileError.self) { try read(short, .init(missing: ["*.bias"])) }
    _ = try read(short, .init(missing: ["renoise_*"]))
    let long = try write("long.safetensors", more: ["projectors.0.weight", "projectors.0.bias"])
    #expect { try read(long) } throws: {
      "\($0)".contains("projectors.0.bias, projectors.0.weight") && remedy($0) == .allowSurplus
    }
    _ = try read(long, .init(surplus: ["projectors.*"]))
    let twice = try write("twice.safetensors", more: ["module.mask_token"])
    #expect { try read(twice) } throws: { "\($0)".contains("`mask_token` twice") }
  }

  /// A network that differs from the model in classes, in channels, or in its patches.
  enum Change: String, CaseIterable, Sendable {
    case classes, channels, patch

    func apply(to configuration: inout ModelConfiguration) {
      switch self {
      case .classes: configuration.classes = 1000
      case .channels: configuration.channels = 4
      case .patch: configuration.patch = 4
      }
    }

    /// The weights whose shapes differ.
    var names: [String] {
      switch self {
      case .classes: ["y_embedder.embedding_table.weight"]
      case .channels, .patch: ["final_layer.linear.weight", "final_layer.linear.bias", "x_embedder.proj.weight"]
      }
    }

    var patterns: [String] { self == .classes ? ["y_embedder.*"] : ["final_layer.linear.*", "x_embedder.*"] }
  }

  /// Writes the weights of a network that differs in one way; returns the path and the weights.
  private func write(_ change: Change, prefix: String) throws -> (path: String, other: TinyModel) {
    var configuration = TinyModel.configuration()
    change.apply(to: &configuration)
    let (other, path) = (TinyModel(configuration, seed: 2), folder.file("\(change).safetensors"))
    let tensors = other.network.layout.parameters.map {
      SafetensorsFile.Tensor(
        name: prefix + $0.name, shape: $0.shape, values: UnsafeBufferPointer(other.weights[$0].buffer))
    }
    try SafetensorsFile.write(tensors, metadata: [:], to: path)
    return (path, other)
  }

  @Test(
    "Weights of another shape start anew where a pattern allows it, each with a line, and all others are the file's",
    arguments: Change.allCases, ["", "ema.module."])
  func otherShapes(change: Change, prefix: String) throws {
    let (path, other) = try write(change, prefix: prefix)
    let arena = ParameterArena<Float>(model.network)
    arena.layout.initialize(arena.elements, seed: 5)
    let initial = arena.elements.array
    let notices = try WeightsFile(path: path).read(into: arena, .ema, .init(shapes: change.patterns))
    for parameter in arena.layout.parameters {
      let expected =
        change.names.contains(parameter.name)
        ? Array(initial[parameter.range])
        : other.weights[try #require(other.network.layout.parameter(parameter.name))].array
      #expect(arena[parameter].array == expected, "\(parameter.name)")
    }
    #expect(
      notices
        == change.names.map { name in
          let shapes = [other.network, model.network].map { $0.layout.parameter(name)?.shape ?? [] }
          return
            "\(path): `\(name)` is of shape \(shapes[0]) in the file and \(shapes[1]) in the network: it starts anew"
        })
  }

  @Test("Weights of another shape are refused with both shapes and the patterns of all that no pattern allows")
  func refusedShapes() throws {
    let (classes, _) = try write(.classes, prefix: "")
    #expect { try read(classes, .init(missing: ["*"], surplus: ["*"])) } throws: {
      "\($0)".contains("`y_embedder.embedding_table.weight` is of shape [1001, 24], expected [4, 24]")
        && remedy($0) == .allowShapes(["y_embedder.*"])
    }
    let (channels, _) = try write(.channels, prefix: "")
    #expect { try read(channels) } throws: { remedy($0) == .allowShapes(Change.channels.patterns) }
    #expect { try read(channels, .init(shapes: ["x_embedder.*", "*.bias"])) } throws: {
      !"\($0)".contains("x_embedder") && !"\($0)".contains("bias")
        && remedy($0) == .allowShapes(["final_layer.linear.*"])
    }
    // A pattern has no effect on weights whose shape is the network's.
    let same = try write("same.safetensors")
    #expect(try read(same, .init(shapes: ["*"])) == model.weights.elements.array)
  }

  @Test("Weights of another shape, numbers that are not finite, and pickles are refused")
  func refusals() throws {
    let other = TinyModel(TinyModel.configuration(width: 32))
    try WeightsFile.write(other.weights, metadata: [:], to: folder.file("o.safetensors"))
    #expect { try read(folder.file("o.safetensors")) } throws: {
      "\($0)".contains("is the model of another size?") && remedy($0) == nil
    }
    model.weights.elements[3] = .nan
    #expect { try read(write("nan.safetensors")) } throws: { "\($0)".contains("not finite") }
    try Data([0x89] + Array("HDF\r\n\u{1a}\n".utf8)).write(to: URL(fileURLWithPath: folder.file("w.h5")))
    #expect { try WeightsFile(path: folder.file("w.h5")) } throws: { remedy($0) == .exportCheckpoint }
    for (name, bytes) in [("w.pt", [0x80, 2, 0x8a, 0x0a]), ("w.safetensors", [0x80, 4, 0x95, 0])] as [(String, [UInt8])]
    {
      try Data(bytes).write(to: URL(fileURLWithPath: folder.file(name)))
      #expect { try WeightsFile(path: folder.file(name)) } throws: { "\($0)".contains("a pickle") }
    }
  }
}

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

  /// Writes the model's weights under other names; nil leaves one out.
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

  private func read(_ path: String, _ allowance: WeightsFile.Allowance = .init()) throws -> [Float] {
    let arena = ParameterArena(model.network)
    try WeightsFile(path: path).read(into: arena, allowance)
    return arena.elements.array
  }

  @Test("Weights come back in the same bits, with the prefixes of PyTorch's wrappers too")
  func roundTrip() throws {
    try WeightsFile.write(model.weights, metadata: ["a": "b"], to: folder.file("w.safetensors"))
    #expect(try read(folder.file("w.safetensors")) == model.weights.elements.array)
    #expect(try WeightsFile(path: folder.file("w.safetensors")).metadata == ["a": "b", "format": "pt"])
    for prefix in ["module.", "_orig_mod.", "module._orig_mod."] {
      #expect(try read(write("p.safetensors") { prefix + $0 }) == model.weights.elements.array)
    }
  }

  @Test("Missing and surplus names are errors that list them, unless they were allowed by a pattern")
  func names() throws {
    let short = try write("short.safetensors") { $0.hasPrefix("renoise_linear") ? nil : $0 }
    #expect { try read(short) } throws: {
      "\($0)".contains("renoise_linear.bias, renoise_linear.weight") && "\($0)".contains("--allow-missing")
    }
    #expect(throws: RunError.self) { try read(short, .init(missing: ["*.bias"])) }
    _ = try read(short, .init(missing: ["renoise_*"]))
    let long = try write("long.safetensors", more: ["projectors.0.weight", "projectors.0.bias"])
    #expect { try read(long) } throws: {
      "\($0)".contains("projectors.0.bias, projectors.0.weight") && "\($0)".contains("--allow-surplus")
    }
    _ = try read(long, .init(surplus: ["projectors.*"]))
    let twice = try write("twice.safetensors", more: ["module.mask_token"])
    #expect { try read(twice) } throws: { "\($0)".contains("`mask_token` twice") }
  }

  @Test("Another shape, numbers that are not finite, and pickles are refused")
  func refusals() throws {
    let other = TinyModel(TinyModel.configuration(width: 32))
    try WeightsFile.write(other.weights, metadata: [:], to: folder.file("o.safetensors"))
    #expect { try read(folder.file("o.safetensors")) } throws: { "\($0)".contains("is the model of another size?") }
    model.weights.elements[3] = .nan
    #expect { try read(write("nan.safetensors")) } throws: { "\($0)".contains("not finite") }
    #expect { try WeightsFile(path: "weights.pt") } throws: { "\($0)".contains("torch.load") }
  }
}

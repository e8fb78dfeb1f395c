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

  private func read(_ path: String, _ allowance: WeightsFile.Allowance = .init()) throws -> [Float] {
    let arena = ParameterArena<Float>(model.network)
    try WeightsFile(path: path).read(into: arena, allowance)
    return arena.elements.array
  }

  private func remedy(_ error: any Error) -> WeightsRemedy? { (error as? FileError)?.remedy as? WeightsRemedy }

  @Test("Weights come back with the same bits, also under names with the prefixes of PyTorch's wrappers")
  func roundTrip() throws {
    try WeightsFile.write(model.weights, metadata: ["a": "b"], to: folder.file("w.safetensors"))
    #expect(try read(folder.file("w.safetensors")) == model.weights.elements.array)
    #expect(try WeightsFile(path: folder.file("w.safetensors")).metadata == ["a": "b", "format": "pt"])
    for prefix in ["module.", "_orig_mod.", "module._orig_mod."] {
      #expect(try read(write("p.safetensors") { prefix + $0 }) == model.weights.elements.array)
    }
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

  @Test("Weights of another shape, numbers that are not finite, and pickles are refused")
  func refusals() throws {
    let other = TinyModel(TinyModel.configuration(width: 32))
    try WeightsFile.write(other.weights, metadata: [:], to: folder.file("o.safetensors"))
    #expect { try read(folder.file("o.safetensors")) } throws: { "\($0)".contains("is the model of another size?") }
    model.weights.elements[3] = .nan
    #expect { try read(write("nan.safetensors")) } throws: { "\($0)".contains("not finite") }
    #expect { try WeightsFile(path: "weights.pt") } throws: { "\($0)".contains("torch.load") }
  }
}

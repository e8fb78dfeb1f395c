import CHDF5
import Foundation
import SprintData
import SprintFormats
import SprintKernels
import SprintModel
import SprintTraining

/// Replaces attributes and data sets of a good checkpoint, gives it a valid manifest, and reads all of it.
@MainActor
func readCheckpoint(_ bytes: UnsafeBufferPointer<UInt8>) {
  var recipe = Recipe(bytes)
  let path = good.bytes.withUnsafeBytes { Scratch.write($0, to: "step-1.h5") }
  change(path, &recipe)
  guard Scratch.isSmall(path), (try? writeManifest(of: path)) != nil, let checkpoint = try? Checkpoint(path: path)
  else { return }
  _ = try? checkpoint.load(average: true, into: good.weights)
  guard let model = try? checkpoint.configuration().model else { return }
  precondition(model.problem == nil, "a model with a problem: \(model)")
}

private struct GoodCheckpoint {
  let bytes: Data
  let names: [(name: String, shape: [UInt64])]
  let weights: ParameterArena<Float>

  init() throws {
    _ = sprint_h5e_silence()
    let settings = [
      "model={width: 8, heads: 1, depth: [1, 1, 1], patch: 4, side: 8, channels: 1, classes: 2}", "threads=1",
    ]
    let configuration = try Configuration(ConfigurationDocument(path: "configs/digits.yaml", settings: settings))
    let weights = ParameterArena<Float>(Network(configuration.model, workers: Workers(1)))
    let properties = LatentProperties(scale: [1], shift: [0], kind: "pixels", pixelRange: -1...1, vae: "")
    let path = Scratch.path("good.h5")
    let record = DataRecord(properties, samples: 1)
    try Checkpoint.write(TrainingPosition(), configuration, record, to: path) { _ in weights }
    bytes = try RandomAccessFile(reading: path).contents()
    names = weights.layout.parameters.prefix(4).map { ("/ema/\($0.name)", $0.shape.map { UInt64($0) }) }
    self.weights = weights
  }
}

@MainActor private let good: GoodCheckpoint = {
  do { return try GoodCheckpoint() } catch { preconditionFailure("no good checkpoint: \(error)") }
}()

private let attributes = [
  "format_version", "step", "stage", "stage_step", "stage_is_over", "skipped", "draws", "validated", "best_validation",
  "validations_without_gain", "configuration", "samples", "scale", "shift", "kind", "pixel_range", "training_data",
]

@MainActor
private func change(_ path: String, _ recipe: inout Recipe) {
  let file = Identifier(H5Fopen(path, readsAndWrites, 0), H5Fclose)
  for _ in 0..<4 where !recipe.isOver {
    if recipe.next() % 2 == 0 {
      let name = recipe.pick(attributes)
      H5Adelete(file.id, name)
      let isText = ["configuration", "kind", "training_data"].contains(name)
      recipe.addAttribute(file.id, name, isText ? sprint_h5t_string() : sprint_h5t_double_le(), isText ? [] : [1])
    } else {
      let (name, shape) = recipe.pick(good.names)
      H5Ldelete(file.id, name, 0)
      recipe.addDataset(file.id, name, sprint_h5t_float_le(), shape)
    }
  }
}

/// The flag of `H5F_ACC_RDWR`, a macro that Swift does not see.
private let readsAndWrites: UInt32 = 1

private func writeManifest(of path: String) throws {
  struct Manifest: Encodable {
    let file: String
    let fingerprint: Fingerprint
  }
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
  let manifest = Manifest(file: "step-1.h5", fingerprint: try Fingerprint(of: path))
  try encoder.encode(manifest).withUnsafeBytes { _ = Scratch.write($0, to: "step-1.manifest.json") }
}

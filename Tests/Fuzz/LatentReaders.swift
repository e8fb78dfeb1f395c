import CHDF5
import Foundation
import SprintData
import SprintFormats
import SprintKernels

private let attributes = ["scale", "shift", "kind", "pixel_range", "vae", "source"]
private let datasets = ["/latents", "/moments", "/latents_flip", "/labels", "/features", "/dataset.json"]

/// Makes a file of latents, mostly a good one, and reads it as training and import do.
func readLatents(_ bytes: UnsafeBufferPointer<UInt8>) {
  var recipe = Recipe(bytes)
  readEverything(makeLatents(&recipe))
}

/// Makes a file of latents with odd attributes and reads those.
func readAttributes(_ bytes: UnsafeBufferPointer<UInt8>) {
  var recipe = Recipe(bytes)
  let path = Scratch.path("input.h5")
  create(path, &recipe) { addAttributes($0, &$1) }
  guard let file = try? HDF5File(reading: path) else { return }
  for channels in [nil, 1, 4] { _ = try? LatentProperties(of: file, channels: channels) }
  for name in attributes {
    precondition((try? file.text(name))?.utf8.count ?? 0 <= 3 * (1 << 17), "a text is longer than its file")
    _ = try? file.numbers(name)
  }
}

/// Makes a good file of latents, replaces bytes of it where nothing checks them, and reads it.
func readDamagedLatents(_ bytes: UnsafeBufferPointer<UInt8>) {
  var none = Recipe(UnsafeBufferPointer(start: nil, count: 0))
  var recipe = Recipe(bytes)
  let path = makeLatents(&none)
  Scratch.damage(path, &recipe)
  readEverything(path)
}

private func makeLatents(_ recipe: inout Recipe) -> String {
  let path = Scratch.path("input.h5")
  create(path, &recipe) { file, recipe in
    let values: [UInt64] = [4, 1, 4, 4]
    let isMoments = recipe.next() % 4 == 3
    recipe.addDataset(
      file, isMoments ? "/moments" : "/latents", sprint_h5t_float_le(), isMoments ? [4, 2, 4, 4] : values)
    recipe.addDataset(file, "/labels", sprint_h5t_int64_le(), [4])
    if recipe.next() % 4 == 3 { recipe.addDataset(file, "/latents_flip", sprint_h5t_float_le(), values) }
    if recipe.next() % 4 == 3 {
      _ = Identifier(H5Gcreate2(file, "/features", 0, 0, 0), H5Gclose)
      recipe.addDataset(file, "/features/teacher", sprint_h5t_float_le(), [4, 2, 3])
    }
    if recipe.next() % 4 == 3 { addAttention(file, &recipe) }
    if recipe.next() % 4 == 3 { recipe.addDataset(file, "/dataset.json", sprint_h5t_string(), [1]) }
    if recipe.next() % 4 == 3 { addAttributes(file, &recipe) }
  }
  return path
}

private func addAttention(_ file: hid_t, _ recipe: inout Recipe) {
  let names = recipe.next() % 2 == 0 ? ["attention"] : ["queries", "keys"]
  for name in names {
    _ = Identifier(H5Gcreate2(file, "/\(name)", 0, 0, 0), H5Gclose)
    recipe.addDataset(file, "/\(name)/teacher", sprint_h5t_float_le(), [4, 1, 2, 4, names.count == 1 ? 4 : 3])
  }
}

private func addAttributes(_ file: hid_t, _ recipe: inout Recipe) {
  for name in attributes where recipe.next() % 2 == 0 {
    let isText = ["kind", "vae", "source"].contains(name)
    recipe.addAttribute(
      file, name, isText ? sprint_h5t_string() : sprint_h5t_double_le(), isText ? [] : [name == "pixel_range" ? 2 : 1])
  }
}

/// Creates a file of the oldest format, whose headers have no checksums, or of the latest.
private func create(_ path: String, _ recipe: inout Recipe, _ fill: (hid_t, inout Recipe) -> Void) {
  _ = sprint_h5e_silence()
  unlink(path)
  let access = Identifier(H5Pcreate(sprint_h5p_file_access()), H5Pclose)
  if recipe.next() % 4 == 3 { H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110) }
  let file = Identifier(H5Fcreate(path, sprint_h5f_exclusive(), 0, access.id), H5Fclose)
  fill(file.id, &recipe)
}

private func readEverything(_ path: String) {
  for features in [nil, "teacher"] {
    guard
      let latents = try? LatentDataset(paths: [path], flips: features == nil, teacher: TeacherNames(features: features))
    else { continue }
    _ = try? latents.fingerprint()
    let memory = Arena(count: latents.latentElements)
    for index in [0, latents.count - 1] {
      try? latents.latent(index, random: LatentRandomness(seed: 0), draw: 0, into: memory.elements)
    }
    if let shape = latents.featureShape {
      let memory = Arena(count: shape.tokens * shape.width)
      try? latents.features(0, into: memory.elements)
    }
  }
  readAttention(path)
  guard let file = try? HDF5File(reading: path) else { return }
  for name in datasets + ((try? file.names(in: "/")) ?? []).map({ "/\($0)" }) {
    _ = try? file.describe(name)
    _ = try? file.integers(name)
    _ = try? file.text(dataset: name)
    _ = try? file.names(in: name)
    readFloats(file, name)
  }
}

/// Reads a teacher's attention as training does, all tokens of one layer and two of each other.
private func readAttention(_ path: String) {
  guard let latents = try? LatentDataset(paths: [path], teacher: TeacherNames(attention: "teacher")),
    let shape = latents.attentionShape, shape.count <= 1 << 20, shape.layers <= 16, shape.tokens >= 2
  else { return }
  let layout = AttentionLayout(heads: 1, tokens: (0..<shape.layers).map { $0 == 0 ? shape.tokens : 2 })
  guard layout.count <= 1 << 20 else { return }
  let request = AttentionRequest(layout, isKept: layout.tokens.indices.map { $0 > 0 }, kept: 2) { _, ids in
    (ids[0], ids[1]) = (1, 0)
  }
  let memory = Arena(count: shape.count + layout.count)
  let (target, scratch) = (memory.elements[0..<layout.count], memory.elements[layout.count..<memory.elements.count])
  try? latents.attention(0, request, draw: 0, into: target, scratch: scratch)
  withExtendedLifetime(memory) {}
}

/// Reads a data set as a source to import is read: with memory for the shape that it claims.
private func readFloats(_ file: HDF5File, _ name: String) {
  guard let shape = try? file.describe(name).shape else { return }
  let count = shape.reduce(1, *)
  guard count <= 1 << 20 else { return }
  var values = [Float](repeating: 0, count: count)
  values.withUnsafeMutableBufferPointer { try? file.floats(name, into: $0) }
}

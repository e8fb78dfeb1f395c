import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel

/// The inputs of a case's training steps: one batch at a time, in memory that the next batch takes over.
final class CaseInputs {
  /// B, the samples of every step.
  let batch: Int
  private let file: SafetensorsFile
  private let recipe: CaseRecipe
  private let arena: Arena
  private let data, noise: Matrix<Float>
  private let teacher: Matrix<Float>?
  private let classTokens: TrainingBatch.ClassTokens?
  /// The targets of attention of the last batch.
  private var attention: Arena?

  init(_ file: SafetensorsFile, _ recipe: CaseRecipe) throws {
    (self.file, self.recipe) = (file, recipe)
    let model = recipe.model
    let shape = try file.entry("step.0.input.x").shape
    guard shape.count == 4, shape[1...] == [model.channels, model.side, model.side] else {
      throw FileError.unexpected(
        path: file.path, name: "step.0.input.x", found: "\(shape)",
        expected: "[B, \(model.channels), \(model.side), \(model.side)]")
    }
    batch = shape[0]
    let features = batch * model.patches * (model.projector?.featureWidth ?? 0)
    arena = Arena(
      count: 2 * Arena.aligned(batch * model.latentElements) + Arena.aligned(features)
        + 2 * Arena.aligned(batch * (model.classToken ?? 0)))
    data = arena.matrix(rows: batch, columns: model.latentElements)
    noise = arena.matrix(rows: batch, columns: model.latentElements)
    teacher = model.projector.map { [arena, batch] in
      arena.matrix(rows: batch * model.patches, columns: $0.featureWidth)
    }
    classTokens = model.classToken.map { [arena, batch] in
      TrainingBatch.ClassTokens(batch: batch, width: $0, in: arena)
    }
  }

  /// Returns the batch of a step.
  ///
  /// - Parameter aligns: whether the step has what the case holds of a teacher
  func batch(_ step: Int, aligns: Bool) throws -> TrainingBatch {
    let model = recipe.model
    let latentShape = [batch, model.channels, model.side, model.side]
    data.fill(try file.floats("step.\(step).input.x", shape: latentShape))
    noise.fill(try file.floats("step.\(step).input.noise", shape: latentShape))
    if aligns, let teacher, let width = model.projector?.featureWidth {
      teacher.fill(try file.floats("step.\(step).input.teacher", shape: [batch, model.patches, width]))
    }
    if let classTokens, let width = model.classToken {
      classTokens.data.fill(try file.floats("step.\(step).input.token", shape: [batch, width]))
      classTokens.noise.fill(try file.floats("step.\(step).input.token_noise", shape: [batch, width]))
    }
    let times = try file.floats("step.\(step).input.t", shape: [batch]).map { recipe.timeShift($0) }
    let (dropped, kept) = (try dropped(step), try kept(step))
    return TrainingBatch(
      data: data, noise: noise, classTokens: classTokens, before: neighbour(times), times: times,
      labels: try file.labels("step.\(step).input.y", count: batch, below: model.classes + 1),
      deepPath: DeepPath(kept: kept, dropped: dropped), teacher: aligns ? teacher : nil,
      attention: aligns ? try targets(step, kept) : nil)
  }

  /// Whether each sample loses its deep path; SR-DiT decides for all at once.
  private func dropped(_ step: Int) throws -> [Bool] {
    let name = "step.\(step).input.path_drop"
    guard recipe.method == .srdit else { return try file.bytes(name, shape: [batch]).map { $0 != 0 } }
    return Array(repeating: try file.bytes(name, shape: []).first != 0, count: batch)
  }

  /// The sample before the first one: the last.
  private func neighbour(_ times: [Float]) -> TrainingBatch.Neighbour? {
    guard recipe.factors.contrast != 0, let time = times.last else { return nil }
    return TrainingBatch.Neighbour(data: data.vector(batch - 1), noise: noise.vector(batch - 1), time: time)
  }

  private func targets(_ step: Int, _ kept: KeptTokens?) throws -> AttentionTargets? {
    let model = recipe.model
    guard let layout = model.attentionLayout(kept: kept?.perSample ?? model.tokens),
      let alignment = model.attentionAlignment
    else { return nil }
    let stored = try storedAttention(step, layers: layout.tokens.count)
    let arena = Arena(count: Arena.aligned(batch * layout.count))
    let targets = arena.matrix(rows: batch, columns: layout.count)
    let isKept = alignment.blocks.map { kept != nil && model.section(of: $0) == .middle }
    for sample in 0..<batch {
      let count = kept?.perSample ?? 0
      let ids = kept.map { Array($0.ids[sample * count..<(sample + 1) * count]) } ?? []
      ids.withUnsafeBufferPointer {
        stored.sample(sample).write(layout, kept: $0, isKept: isKept, into: targets.vector(sample))
      }
    }
    attention = arena
    return AttentionTargets(targets, layout)
  }

  private func storedAttention(_ step: Int, layers: Int) throws -> CaseAttention {
    let (tokens, heads) = (recipe.model.tokens, recipe.teacherHeads)
    func tensor(_ name: String) throws -> [Float] {
      let shape = try file.entry(name).shape
      guard shape.count == 5, Array(shape[..<4]) == [batch, layers, heads, tokens], shape[4] > 0 else {
        throw FileError.unexpected(
          path: file.path, name: name, found: "\(shape)", expected: "[\(batch), \(layers), \(heads), \(tokens), W]")
      }
      return try file.floats(name)
    }
    let prefix = "step.\(step).input.teacher"
    let names = recipe.teacherHasMaps ? ["\(prefix)_maps"] : ["\(prefix)_queries", "\(prefix)_keys"]
    let tensors = try names.map(tensor)
    guard Set(tensors.map(\.count)).count == 1, !recipe.teacherHasMaps || tensors[0].count % (tokens * tokens) == 0
    else {
      throw FileError.unexpected(
        path: file.path, name: names[0], found: "\(tensors.map(\.count)) numbers", expected: "one shape, square maps")
    }
    return CaseAttention(tensors, batch: batch, layers: layers, heads: heads, tokens: tokens)
  }

  private func kept(_ step: Int) throws -> KeptTokens? {
    let name = "step.\(step).input.keep"
    guard let entry = file.entries[name] else { return nil }
    guard entry.shape.count == 2, entry.shape[0] == batch, entry.shape[1] > 0 else {
      throw FileError.unexpected(path: file.path, name: name, found: "\(entry.shape)", expected: "[\(batch), M]")
    }
    let ids = try file.integers(name).map { Int32(clamping: $0) }
    for start in stride(from: 0, to: ids.count, by: entry.shape[1]) {
      let sample = ids[start..<start + entry.shape[1]]
      guard Set(sample).count == sample.count, sample.allSatisfy({ $0 >= 0 && $0 < recipe.model.tokens }) else {
        throw FileError.unexpected(
          path: file.path, name: name, found: "a repeated or impossible id",
          expected: "different ids below \(recipe.model.tokens)")
      }
    }
    return KeptTokens(ids: ids, perSample: entry.shape[1])
  }
}

/// A teacher's attention for the samples of a step, as a case stores it.
private struct CaseAttention {
  private let arenas: [Arena]
  private let batch, layers, heads, tokens: Int

  /// - Parameter tensors: maps, or queries and keys
  init(_ tensors: [[Float]], batch: Int, layers: Int, heads: Int, tokens: Int) {
    (self.batch, self.layers, self.heads, self.tokens) = (batch, layers, heads, tokens)
    arenas = tensors.map { values in
      let arena = Arena(count: values.count)
      arena.elements.matrix(columns: values.count).fill(values)
      return arena
    }
  }

  func sample(_ index: Int) -> TeacherAttention {
    let parts = arenas.map { arena in
      let size = arena.elements.count / batch
      return arena.elements[index * size..<(index + 1) * size]
    }
    return TeacherAttention(
      parts.count > 1 ? .queriesAndKeys(parts[0], parts[1]) : .maps(parts[0]), layers: layers, heads: heads,
      tokens: tokens)
  }
}

extension Matrix<Float> {
  fileprivate func fill(_ values: [Float]) {
    precondition(rows * columns == values.count, "\(values.count) values for \(rows * columns)")
    let target = flattened
    for (i, value) in values.enumerated() { target[i] = value }
  }
}

extension SafetensorsFile {
  /// Reads `count` classes below `limit`.
  func labels(_ name: String, count: Int, below limit: Int) throws -> [Int] {
    let labels = try integers(name, shape: [count]).map { Int($0) }
    if let bad = labels.first(where: { $0 < 0 || $0 >= limit }) {
      throw FileError.unexpected(path: path, name: name, found: "class \(bad)", expected: "0 to \(limit - 1)")
    }
    return labels
  }
}

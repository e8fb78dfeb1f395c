import SprintKernels

/// x + out(softmax(q · kᵀ / sqrt(C)) · v) with queries, keys and values of norm(x): one head over all pixels.
struct SpatialAttention: ImageLayer {
  /// The names of the parts of an attention.
  struct Names: Sendable {
    let norm, query, key, value, out: String
  }

  private let norm: GroupNorm
  /// Queries, keys and values at once: [3C, C].
  private let projection: Convolution
  private let out: Convolution
  private let channels: Int
  /// Scores are computed for so many queries at once, so that they stay in cache.
  private static let rows = 128

  /// Reads `name.norm` and so on.
  init(_ weights: NetworkWeights, _ name: String, _ names: Names, channels: Int) throws {
    self.channels = channels
    norm = try GroupNorm(weights, "\(name).\(names.norm)", channels: channels)
    let parts = [names.query, names.key, names.value]
    let shapes = [[channels, channels], [channels, channels, 1, 1]]
    projection = Convolution(
      ConvolutionGeometry(inputs: channels, outputs: 3 * channels, kernel: (1, 1), padding: (0, 0)),
      weights: try parts.flatMap { try weights.floats("\(name).\($0).weight", shapes: shapes[0], shapes[1]) },
      bias: try parts.flatMap { try weights.floats("\(name).\($0).bias", shapes: [channels]) })
    out = Convolution(
      ConvolutionGeometry(inputs: channels, outputs: channels, kernel: (1, 1), padding: (0, 0)),
      weights: try weights.floats("\(name).\(names.out).weight", shapes: shapes[0], shapes[1]),
      bias: try weights.floats("\(name).\(names.out).bias", shapes: [channels]))
  }

  func plan(_ plan: inout PassPlan) {
    plan.need(3 * channels, in: 1)
    plan.addScratch(projection)
    plan.addScratch(out)
    plan.needPerThread((plan.height * plan.width + 1) * Self.rows)
  }

  func run(_ pass: ImagePass, _ workers: Workers) {
    let x = pass.maps
    let projected = pass.target(of: projection, slot: 1)
    projection(ConvolutionSource(x, pass.scaling(norm, isActivated: false)), into: projected, workers)
    let (tokens, memory) = (x.height * x.width, pass.threadMemory)
    let slices = (tokens + Self.rows - 1) / Self.rows
    workers.run(tasks: x.count * slices) { worker, task in
      let rows = Workers.slice(task % slices, of: slices, total: tokens)
      attend(projected[task / slices].pixels, rows, memory[worker])
    }
    let result = ConvolutionSource(projected.channels(0..<channels))
    out(result, into: x, adds: true, moments: pass.moments(of: out, x), workers)
  }

  /// Sets the attention of some queries of an image in their own place.
  private func attend(_ projected: Matrix<Float>, _ rows: Range<Int>, _ memory: Vector<Float>) {
    let queries = projected.rows(rows).columns(0..<channels)
    let (keys, values) = (
      projected.columns(channels..<2 * channels), projected.columns(2 * channels..<3 * channels)
    )
    let scores = MatrixStack(memory[0..<rows.count * projected.rows].matrix(columns: projected.rows))
    let normalizers = memory[memory.count - rows.count..<memory.count].matrix(columns: 1)
    attention(
      AttentionHeads(query: MatrixStack(queries), key: MatrixStack(keys), value: MatrixStack(values)),
      into: MatrixStack(queries), logSumExp: normalizers,
      AttentionScratch(scores: scores, probabilities: scores, scoreGradients: scores, differences: scores))
  }
}

import SprintKernels

/// The weight gradients of one layer as products over all tokens: dW += dyᵀ · x and db += Σ dy.
struct WeightTask<Element: MatrixElement>: Sendable {
  let dy, x: Matrix<Element>
  let weight: Matrix<Float>
  let bias: Vector<Float>?

  init(_ dy: Matrix<Element>, _ x: Matrix<Element>, adding weight: Matrix<Float>, adding bias: Vector<Float>?) {
    (self.dy, self.x, self.weight, self.bias) = (dy, x, weight, bias)
  }

  init(_ dy: Matrix<Element>, _ x: Matrix<Element>, adding layer: LinearParameters<Float>) {
    self.init(dy, x, adding: layer.weight, adding: layer.bias)
  }

  /// Computes part `index` of `parts` of the layer's output rows.
  func run(part index: Int, of parts: Int) {
    let outputs = Workers.slice(index, of: parts, total: weight.rows)
    guard !outputs.isEmpty, dy.rows > 0 else { return }
    linearWeightBackward(dy, x, adding: weight, outputs: outputs)
    if let bias { biasBackward(dy.columns(outputs), adding: bias[outputs]) }
  }
}

extension Workers {
  /// Runs the tasks, each split over all workers by output rows.
  func run<Element>(_ weightTasks: [WeightTask<Element>]) {
    run(tasks: weightTasks.count * count) { _, index in
      Trace.span("block", "weight gradient") { weightTasks[index / count].run(part: index % count, of: count) }
    }
  }
}

import COneDNN

/// y = x * w + b, a convolution (cross-correlation, as everywhere in the field) of images that are channels last, in
/// float32 by oneDNN.
package final class Convolution: @unchecked Sendable {
  /// Its shape.
  package let geometry: ConvolutionGeometry
  private let rectifies: Bool
  /// The weights in the layout that oneDNN's kernels read, then the bias.
  private let parameters: Arena
  private let weights: Vector<Float>
  private let bias: Vector<Float>?
  private let weightsDescription: dnnl_memory_desc_t

  /// Packs the weights.
  ///
  /// - Parameters:
  ///   - weights: [outputs, inputs, kernelHeight, kernelWidth]
  ///   - bias: [outputs], or nil for none
  ///   - rectifies: whether y = max(0, x * w + b)
  package init(_ geometry: ConvolutionGeometry, weights: [Float], bias: [Float]?, rectifies: Bool = false) {
    precondition(
      weights.count == geometry.weightCount && bias?.count ?? geometry.outputs == geometry.outputs,
      "\(weights.count) weights for \(geometry)")
    (self.geometry, self.rectifies) = (geometry, rectifies)
    weightsDescription = geometry.packedWeights
    let packedCount = withUnsafePointer(to: weightsDescription) { dnnl_memory_desc_get_size($0) } / 4
    parameters = Arena(count: Arena.aligned(packedCount) + Arena.aligned(geometry.outputs))
    self.weights = parameters.matrix(rows: 1, columns: packedCount).flattened
    self.bias = bias.map { [parameters] in
      let own = parameters.matrix(rows: 1, columns: $0.count).flattened
      _ = own.buffer.update(fromContentsOf: $0)
      return own
    }
    geometry.pack(weights, into: self.weights, weightsDescription)
  }

  /// Sets y, or adds to it. The images and slices of their lines are shared among workers; the result does not depend
  /// on how many there are, nor on the other images.
  ///
  /// - Parameters:
  ///   - x: [B, height, width, inputs]
  ///   - y: [B, outputHeight, outputWidth, outputs]
  ///   - adds: whether x * w + b is added to y
  package func callAsFunction(_ x: FeatureMaps, into y: FeatureMaps, adds: Bool = false, _ workers: Workers) {
    precondition(x.count == y.count, "\(x.count) images into \(y.count)")
    let slices = geometry.slices(outputHeight: y.height, outputWidth: y.width)
    workers.run(tasks: x.count * slices) { _, task in
      let lines = Workers.slice(task % slices, of: slices, total: y.height)
      compute(x[task / slices], into: y[task / slices], lines: lines, adds: adds)
    }
  }

  /// Sets y of a single image on the caller's thread.
  package func callAsFunction(_ x: FeatureMaps, into y: FeatureMaps, adds: Bool = false) {
    let slices = geometry.slices(outputHeight: y.height, outputWidth: y.width)
    for slice in 0..<slices {
      compute(x, into: y, lines: Workers.slice(slice, of: slices, total: y.height), adds: adds)
    }
  }

  /// Sets some lines of y of a single image.
  private func compute(_ x: FeatureMaps, into y: FeatureMaps, lines: Range<Int>, adds: Bool) {
    precondition(
      x.channels == geometry.inputs && y.channels == geometry.outputs && y.height == geometry.outputHeight(x.height)
        && y.width == geometry.outputWidth(x.width),
      "a convolution of \(x.height) x \(x.width) x \(x.channels) into \(y.height) x \(y.width) x \(y.channels)")
    let window = geometry.window(lines, height: x.height)
    compute(x.lines(window.lines), above: window.above, below: window.below, into: y.lines(lines), adds: adds)
  }

  /// Sets y from lines of x with lines of zeros above and below them.
  func compute(_ x: FeatureMaps, above: Int, below: Int, into y: FeatureMaps, adds: Bool) {
    let shape = ConvolutionShape(
      geometry: geometry, height: x.height, width: x.width, above: above, below: below, hasBias: bias != nil,
      adds: adds, rectifies: rectifies)
    let primitive = OneDNN.convolution(shape, weightsDescription)
    Meter.count(.matrixProducts) {
      x.withDense(copyIn: true) { source in
        y.withDense(copyIn: adds, copyOut: true) { target in
          primitive.run { arguments in
            arguments.point(0, to: source)
            arguments.point(1, to: weights.base)
            arguments.point(2, to: target)
            if let bias { arguments.point(3, to: bias.base) }
          }
        }
      }
    }
  }
}

extension FeatureMaps {
  /// Calls `body` with the address of dense pixels: these, or a copy of them. oneDNN's fast kernels take dense pixels
  /// alone.
  fileprivate func withDense(copyIn: Bool, copyOut: Bool = false, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    guard !isDense else { return body(pixels.base) }
    ProductScratch.shared.with(bytes: 4 * pixels.rows * pixels.columns) { memory in
      let base = memory.bindMemory(to: Float.self, capacity: pixels.rows * pixels.columns)
      let dense = Matrix(base, rows: pixels.rows, columns: pixels.columns)
      if copyIn { dense.copy(from: pixels) }
      body(base)
      if copyOut { pixels.copy(from: dense) }
    }
  }
}

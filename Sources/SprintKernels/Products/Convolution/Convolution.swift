/// y = x * w + b, a convolution (cross-correlation, as everywhere in the field) of images that are channels last, in
/// float32.
package final class Convolution: Sendable {
  /// Its shape.
  package let geometry: ConvolutionGeometry
  private let kernel: any ConvolutionKernel

  /// Brings the weights into the layout of the fastest kernel.
  ///
  /// - Parameters:
  ///   - weights: [outputs, inputs, kernelHeight, kernelWidth]
  ///   - bias: [outputs], or nil for none
  ///   - rectifies: whether y = max(0, x * w + b)
  package init(_ geometry: ConvolutionGeometry, weights: [Float], bias: [Float]?, rectifies: Bool = false) {
    precondition(
      weights.count == geometry.weightCount && bias?.count ?? geometry.outputs == geometry.outputs,
      "\(weights.count) weights for \(geometry)")
    self.geometry = geometry
    kernel =
      WinogradConvolution.isFaster(geometry)
      ? WinogradConvolution(geometry, weights, bias, rectifies: rectifies)
      : DirectConvolution(geometry, weights, bias, rectifies: rectifies)
  }

  /// Sets y, or adds to it. The images and slices of their lines are shared among workers; the result does not depend
  /// on how many there are, nor on the other images.
  ///
  /// - Parameters:
  ///   - x: [B, height, width, inputs]
  ///   - y: [B, outputHeight, outputWidth, outputs]
  ///   - adds: whether x * w + b is added to y
  ///   - moments: receives those of y, for a group norm; `slices(height:width:)` records an image
  package func callAsFunction(
    _ x: ConvolutionSource, into y: FeatureMaps, adds: Bool = false, moments: GroupMoments? = nil, _ workers: Workers
  ) {
    check(x, y)
    let slices = slices(height: y.height, width: y.width)
    precondition(moments == nil || moments?.slices == slices, "moments of other slices")
    workers.run(tasks: y.count * slices) { _, task in
      let (image, lines) = (task / slices, lines(task % slices, of: slices, height: y.height))
      let target = y[image]
      kernel.compute(x[image], into: target, lines: lines, adds: adds)
      moments?.record(target.lines(lines), at: task)
    }
  }

  /// Sets y, or adds to it, from images as they are.
  package func callAsFunction(_ x: FeatureMaps, into y: FeatureMaps, adds: Bool = false, _ workers: Workers) {
    self(ConvolutionSource(x), into: y, adds: adds, workers)
  }

  /// Sets y of a single image, or adds to it, on the caller's thread.
  package func callAsFunction(_ x: FeatureMaps, into y: FeatureMaps, adds: Bool = false) {
    let source = ConvolutionSource(x)
    check(source, y)
    let slices = slices(height: y.height, width: y.width)
    for slice in 0..<slices {
      kernel.compute(source, into: y, lines: lines(slice, of: slices, height: y.height), adds: adds)
    }
  }

  private func check(_ x: ConvolutionSource, _ y: FeatureMaps) {
    precondition(
      x.maps.count == y.count && x.maps.channels == geometry.inputs && y.channels == geometry.outputs
        && y.height == geometry.outputHeight(x.height) && y.width == geometry.outputWidth(x.width),
      "a convolution of \(x.height) x \(x.width) x \(x.maps.channels) into \(y.height) x \(y.width) x \(y.channels)")
  }

  /// The slices into which a target is cut. They depend on its extents alone, so that any number of threads computes
  /// the same numbers.
  package func slices(height: Int, width: Int) -> Int { kernel.slices(height: height, width: width) }

  private func lines(_ slice: Int, of slices: Int, height: Int) -> Range<Int> {
    let step = kernel.lineStep
    let part = Workers.slice(slice, of: slices, total: (height + step - 1) / step)
    return part.lowerBound * step..<min(part.upperBound * step, height)
  }

  /// The bytes of its weights.
  package var bytes: Int { kernel.bytes }

  /// The bytes in which a thread computes slices of a target.
  ///
  /// - Parameter height: of the target
  package func scratchBytes(height: Int, width: Int) -> Int { kernel.scratchBytes(height: height, width: width) }
}

/// One way to compute convolutions.
protocol ConvolutionKernel: Sendable {
  /// The lines of a slice are a multiple of it, but for the last one's.
  var lineStep: Int { get }
  /// The bytes of its weights.
  var bytes: Int { get }
  /// The slices into which a target is cut.
  func slices(height: Int, width: Int) -> Int
  /// The bytes in which a thread computes slices of a target.
  func scratchBytes(height: Int, width: Int) -> Int
  /// Sets some lines of y of a single image, or adds to them.
  func compute(_ x: ConvolutionSource, into y: FeatureMaps, lines: Range<Int>, adds: Bool)
}

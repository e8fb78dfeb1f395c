import COneDNN

/// A convolution as the sum of products that it is, by oneDNN.
final class DirectConvolution: ConvolutionKernel, @unchecked Sendable {
  private let geometry: ConvolutionGeometry
  private let rectifies: Bool
  private let parameters: Arena
  /// The weights in the layout that oneDNN's kernels read.
  private let weights: Vector<Float>
  private let bias: Vector<Float>?
  private let layout: dnnl_memory_desc_t

  init(_ geometry: ConvolutionGeometry, _ weights: [Float], _ bias: [Float]?, rectifies: Bool) {
    (self.geometry, self.rectifies) = (geometry, rectifies)
    layout = geometry.packedWeights
    let count = withUnsafePointer(to: layout) { dnnl_memory_desc_get_size($0) } / 4
    parameters = Arena(count: Arena.aligned(count) + Arena.aligned(geometry.outputs))
    self.weights = parameters.vector(count)
    self.bias = bias.map(parameters.vector(of:))
    geometry.pack(weights, into: self.weights, layout)
  }

  let lineStep = 1
  var bytes: Int { parameters.elements.bytes.count }

  /// A slice reads up to `kernelHeight - 1` lines beyond its own.
  private static let leastLines = 8
  /// Multiplications of a slice: about a millisecond's.
  private static let workPerSlice = 1 << 25

  func slices(height: Int, width: Int) -> Int {
    max(1, height / max(Self.leastLines, Self.workPerSlice / (width * geometry.weightCount)))
  }

  func scratchBytes(height: Int, width: Int) -> Int {
    let slices = slices(height: height, width: width)
    let lines = (height + slices - 1) / slices
    let sourceLines = (lines - 1) * geometry.stride + geometry.kernelHeight
    return 4 * (sourceLines * width * geometry.stride * geometry.inputs + lines * width * geometry.outputs)
  }

  func compute(_ x: ConvolutionSource, into y: FeatureMaps, lines: Range<Int>, adds: Bool) {
    let (window, above, below) = geometry.window(lines, height: x.height)
    let shape = ConvolutionShape(
      geometry: geometry, height: window.count, width: x.width, above: above, below: below, hasBias: bias != nil,
      adds: adds, rectifies: rectifies)
    let primitive = OneDNN.convolution(shape, layout)
    x.withDense(window) { source in
      y.lines(lines).withDense(copyIn: adds) { target in
        Meter.count(.matrixProducts) {
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

extension ConvolutionSource {
  /// Calls `body` with the address of some lines, one after the other.
  fileprivate func withDense(_ lines: Range<Int>, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    guard isChanged || !maps.isDense else { return body(maps.lines(lines).pixels.base) }
    let count = lines.count * width * maps.channels
    ProductScratch.shared.with(bytes: 4 * count) { memory in
      let base = memory.bindMemory(to: Float.self, capacity: count)
      let pixels = Matrix(base, rows: lines.count * width, columns: maps.channels)
      fill(FeatureMaps(pixels, height: lines.count, width: width), line: lines.lowerBound, column: 0)
      body(base)
    }
  }
}

extension FeatureMaps {
  /// Calls `body` with the address of dense pixels, which end up here. oneDNN's fast kernels take dense pixels alone.
  fileprivate func withDense(copyIn: Bool, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    guard !isDense else { return body(pixels.base) }
    let count = pixels.rows * pixels.columns
    ProductScratch.shared.with(bytes: 4 * count) { memory in
      let base = memory.bindMemory(to: Float.self, capacity: count)
      let dense = Matrix(base, rows: pixels.rows, columns: pixels.columns)
      if copyIn { dense.copy(from: pixels) }
      body(base)
      pixels.copy(from: dense)
    }
  }
}

extension Arena {
  /// Cuts off the next `count` elements.
  func vector(_ count: Int) -> Vector<Float> { matrix(rows: 1, columns: count).flattened }

  /// Cuts off the next elements and copies `values` there.
  func vector(of values: [Float]) -> Vector<Float> {
    let own = vector(values.count)
    _ = own.buffer.update(fromContentsOf: values)
    return own
  }
}

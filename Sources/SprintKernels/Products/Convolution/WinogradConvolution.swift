/// A 3 x 3 convolution that multiplies 16 times where the sum of products needs 36: squares of 4 x 4 pixels, two apart,
/// and the kernel are transformed, multiplied number by number, summed over channels by 16 matrix products, and
/// transformed back to 2 x 2 pixels. Its rounding errors are of the size of the sum's. arXiv 1509.09308.
final class WinogradConvolution: ConvolutionKernel, @unchecked Sendable {
  private let geometry: ConvolutionGeometry
  private let rectifies: Bool
  private let parameters: Arena
  /// 16 matrices [inputs, outputs]
  private let weights: MatrixStack<Float>
  private let bias: Vector<Float>

  /// Whether it can compute a convolution, and does so faster than the sum.
  static func isFaster(_ geometry: ConvolutionGeometry) -> Bool {
    let expected = ConvolutionGeometry(
      inputs: geometry.inputs, outputs: geometry.outputs, kernel: (3, 3), padding: (1, 1))
    return geometry == expected && geometry.inputs % 16 == 0 && geometry.outputs % 16 == 0
      && min(geometry.inputs, geometry.outputs) >= leastChannels
  }

  /// With fewer channels, the transformations take longer than the products that they save.
  private static let leastChannels = 64

  init(_ geometry: ConvolutionGeometry, _ weights: [Float], _ bias: [Float]?, rectifies: Bool) {
    (self.geometry, self.rectifies) = (geometry, rectifies)
    let (inputs, outputs) = (geometry.inputs, geometry.outputs)
    parameters = Arena(count: 16 * inputs * outputs + Arena.aligned(outputs))
    self.weights = MatrixStack(
      parameters.matrix(rows: inputs, columns: outputs), count: 16, distance: inputs * outputs)
    _ = parameters.vector(15 * inputs * outputs)
    self.bias = parameters.vector(of: bias ?? Array(repeating: 0, count: outputs))
    transform(weights)
  }

  let lineStep = 2
  var bytes: Int { parameters.elements.bytes.count }

  /// Squares of a slice: enough for fast matrix products, few enough for the cache.
  private static let squaresPerSlice = 128

  func slices(height: Int, width: Int) -> Int {
    let perSlice = max(1, Self.squaresPerSlice / ((width + 1) / 2))
    return max(1, (height + 1) / 2 / perSlice)
  }

  func scratchBytes(height: Int, width: Int) -> Int {
    let (rows, slices) = ((height + 1) / 2, slices(height: height, width: width))
    return 4 * Squares(rows: (rows + slices - 1) / slices, columns: (width + 1) / 2).floats(geometry)
  }

  func compute(_ x: ConvolutionSource, into y: FeatureMaps, lines: Range<Int>, adds: Bool) {
    let squares = Squares(rows: (lines.count + 1) / 2, columns: (y.width + 1) / 2)
    let count = squares.floats(geometry)
    ProductScratch.shared.with(bytes: 4 * count) { memory in
      let memory = Vector(memory.bindMemory(to: Float.self, capacity: count), count: count)
      let (window, transformed, products) = squares.cut(memory, geometry)
      x.fill(window, line: lines.lowerBound - 1, column: -1)
      squares.transform(window, into: transformed)
      MatrixProduct(transformed, weights, products).computeMetered()
      squares.transformBack(products, bias, rectifies: rectifies, adds: adds, into: y.lines(lines))
    }
  }

  /// U = G g Gᵀ for the kernel g of each pair of channels.
  private func transform(_ kernels: [Float]) {
    let (inputs, outputs) = (geometry.inputs, geometry.outputs)
    kernels.withUnsafeBufferPointer { kernels in
      for input in 0..<inputs {
        for output in 0..<outputs {
          let start = (output * inputs + input) * 9
          let lines = (0..<3).map { line in
            SIMD3(kernels[start + line], kernels[start + 3 + line], kernels[start + 6 + line])
          }
          let (a, b, c) = (Self.widened(lines[0]), Self.widened(lines[1]), Self.widened(lines[2]))
          for row in 0..<4 {
            let line = Self.widened(SIMD3(a[row], b[row], c[row]))
            for column in 0..<4 { weights[row * 4 + column][input, output] = line[column] }
          }
        }
      }
    }
  }

  /// G g: three numbers become four.
  private static func widened(_ g: SIMD3<Float>) -> SIMD4<Float> {
    SIMD4(g.x, (g.x + g.y + g.z) / 2, (g.x - g.y + g.z) / 2, g.z)
  }
}

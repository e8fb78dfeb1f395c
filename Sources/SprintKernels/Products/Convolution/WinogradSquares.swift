/// Squares of 2 x 2 pixels that cover some lines of a target, and the transformations of the 4 x 4 pixels around them.
struct Squares {
  let rows, columns: Int

  private var count: Int { rows * columns }
  private var windowHeight: Int { 2 * rows + 2 }
  private var windowWidth: Int { 2 * columns + 2 }

  /// The floats that `cut` takes.
  func floats(_ geometry: ConvolutionGeometry) -> Int {
    windowHeight * windowWidth * geometry.inputs + 16 * count * (geometry.inputs + geometry.outputs)
  }

  /// Cuts memory into the window of the source, 16 matrices [squares, inputs] and as many [squares, outputs].
  func cut(_ memory: Vector<Float>, _ geometry: ConvolutionGeometry) -> (
    window: FeatureMaps, transformed: MatrixStack<Float>, products: MatrixStack<Float>
  ) {
    let (pixels, inputs, outputs) = (windowHeight * windowWidth, geometry.inputs, geometry.outputs)
    func stack(_ start: Int, _ channels: Int) -> MatrixStack<Float> {
      MatrixStack(
        Matrix(memory.base + start, rows: count, columns: channels), count: 16, distance: count * channels)
    }
    let window = Matrix(memory.base, rows: pixels, columns: inputs)
    return (
      FeatureMaps(window, height: windowHeight, width: windowWidth), stack(pixels * inputs, inputs),
      stack((pixels + 16 * count) * inputs, outputs)
    )
  }

  /// V = Bᵀ d B for the 4 x 4 pixels d around each square, channel by channel.
  func transform(_ window: FeatureMaps, into transformed: MatrixStack<Float>) {
    let (channels, line) = (window.channels, windowWidth * window.channels)
    for square in 0..<count {
      let from = window.pixels.row(square / columns * 2 * windowWidth + square % columns * 2)
      let to = transformed.first.row(square)
      for c in stride(from: 0, to: channels, by: 16) {
        let d = from + c
        let (a, b) = (Self.column(d, line), Self.column(d + channels, line))
        let (e, f) = (Self.column(d + 2 * channels, line), Self.column(d + 3 * channels, line))
        Self.store(Self.widened(a.0, b.0, e.0, f.0), to + c, transformed.distance)
        Self.store(Self.widened(a.1, b.1, e.1, f.1), to + c + 4 * transformed.distance, transformed.distance)
        Self.store(Self.widened(a.2, b.2, e.2, f.2), to + c + 8 * transformed.distance, transformed.distance)
        Self.store(Self.widened(a.3, b.3, e.3, f.3), to + c + 12 * transformed.distance, transformed.distance)
      }
    }
  }

  /// y = Aᵀ m A + bias for the products m of each square, channel by channel.
  func transformBack(
    _ products: MatrixStack<Float>, _ bias: Vector<Float>, rectifies: Bool, adds: Bool, into y: FeatureMaps
  ) {
    for square in 0..<count {
      let (line, column) = (square / columns * 2, square % columns * 2)
      let from = products.first.row(square)
      for c in stride(from: 0, to: y.channels, by: 16) {
        let shift = bias.base.load(c, 16)
        let (top, bottom) = Self.narrowed(from + c, products.distance)
        for (i, pair) in [(0, top), (1, bottom)] where line + i < y.height {
          let to = y.pixels.row((line + i) * y.width + column) + c
          Self.put(pair.0 + shift, to, rectifies: rectifies, adds: adds)
          guard column + 1 < y.width else { continue }
          Self.put(pair.1 + shift, to + y.pixels.stride, rectifies: rectifies, adds: adds)
        }
      }
    }
  }

  private typealias Four = (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>)
  private typealias Two = (SIMD16<Float>, SIMD16<Float>)

  /// Bᵀ of four numbers.
  @inline(__always)
  private static func widened(
    _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>, _ d: SIMD16<Float>
  ) -> Four { (a - c, b + c, c - b, b - d) }

  /// Bᵀ of a column.
  @inline(__always)
  private static func column(_ from: UnsafeMutablePointer<Float>, _ line: Int) -> Four {
    widened(from.load(0, 16), from.load(line, 16), from.load(2 * line, 16), from.load(3 * line, 16))
  }

  @inline(__always)
  private static func store(_ four: Four, _ to: UnsafeMutablePointer<Float>, _ distance: Int) {
    to.store(four.0, 0, 16)
    to.store(four.1, distance, 16)
    to.store(four.2, 2 * distance, 16)
    to.store(four.3, 3 * distance, 16)
  }

  /// Aᵀ of four numbers.
  @inline(__always)
  private static func narrowed(
    _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>, _ d: SIMD16<Float>
  ) -> Two { (a + b + c, b - c - d) }

  /// Aᵀ m A of one channel vector of a square: its two lines of two pixels.
  @inline(__always)
  private static func narrowed(_ m: UnsafeMutablePointer<Float>, _ distance: Int) -> (Two, Two) {
    @inline(__always)
    func column(_ index: Int) -> Two {
      let from = m + index * distance
      return narrowed(
        from.load(0, 16), from.load(4 * distance, 16), from.load(8 * distance, 16), from.load(12 * distance, 16))
    }
    let (a, b, c, d) = (column(0), column(1), column(2), column(3))
    return (narrowed(a.0, b.0, c.0, d.0), narrowed(a.1, b.1, c.1, d.1))
  }

  @inline(__always)
  private static func put(_ value: SIMD16<Float>, _ to: UnsafeMutablePointer<Float>, rectifies: Bool, adds: Bool) {
    let sum = adds ? to.load(0, 16) + value : value
    to.store(rectifies ? larger(sum, SIMD16()) : sum, 0, 16)
  }
}

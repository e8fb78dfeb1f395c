import SprintTestSupport

/// A narrow Inception in float64 that draws its weights while it computes, written down block by block as torchvision
/// and pytorch-fid state it.
struct NaiveInception {
  /// [channels][height · width]
  struct Map {
    var height, width: Int
    var planes: [[Double]]
  }

  private(set) var tensors: [(name: String, shape: [Int], values: [Float])] = []
  private var random: Randomness

  init(_ random: Randomness) { self.random = random }

  /// The features of an image of 299 x 299 pixels.
  mutating func run(_ image: Map) -> (pooled: [Double], spatial: [Double], logits: [Double]) {
    var x = stem(image)
    for block in ["5b", "5c", "5d"] { x = a(x, "Mixed_\(block).") }
    x = b(x, "Mixed_6a.")
    var spatial: [Double] = []
    for block in ["6b", "6c", "6d", "6e"] {
      x = c(x, "Mixed_\(block).")
      if block == "6d" { spatial = x.planes[0].indices.flatMap { pixel in x.planes[..<7].map { $0[pixel] } } }
    }
    x = d(x, "Mixed_7a.")
    x = e(x, "Mixed_7b.", pooled(x, 1, 1) { $0.reduce(0, +) / Double($0.count) })
    x = e(x, "Mixed_7c.", pooled(x, 1, 1) { $0.max() ?? 0 })
    let mean = x.planes.map { $0.reduce(0, +) / Double($0.count) }
    let classes = draw("fc.weight", [1008, mean.count], deviation: 0.5)
    let logits = (0..<1008).map { row in mean.indices.reduce(0) { $0 + classes[row * mean.count + $1] * mean[$1] } }
    return (mean, spatial, logits)
  }

  private mutating func stem(_ image: Map) -> Map {
    var x = unit(image, "Conv2d_1a_3x3", 3, 3, stride: 2, padded: false)
    x = unit(unit(x, "Conv2d_2a_3x3", 3, 3, padded: false), "Conv2d_2b_3x3", 3, 3)
    x = unit(unit(halved(x), "Conv2d_3b_1x1", 1, 1), "Conv2d_4a_3x3", 3, 3, padded: false)
    return halved(x)
  }

  private mutating func a(_ x: Map, _ name: String) -> Map {
    let one = unit(x, name + "branch1x1", 1, 1)
    let five = unit(unit(x, name + "branch5x5_1", 1, 1), name + "branch5x5_2", 5, 5)
    let three = unit(unit(x, name + "branch3x3dbl_1", 1, 1), name + "branch3x3dbl_2", 3, 3)
    return joined([one, five, unit(three, name + "branch3x3dbl_3", 3, 3), unit(mean(x), name + "branch_pool", 1, 1)])
  }

  private mutating func b(_ x: Map, _ name: String) -> Map {
    let three = unit(x, name + "branch3x3", 3, 3, stride: 2, padded: false)
    let double = unit(unit(x, name + "branch3x3dbl_1", 1, 1), name + "branch3x3dbl_2", 3, 3)
    return joined([three, unit(double, name + "branch3x3dbl_3", 3, 3, stride: 2, padded: false), halved(x)])
  }

  private mutating func c(_ x: Map, _ name: String) -> Map {
    let one = unit(x, name + "branch1x1", 1, 1, outputs: 8)
    var seven = unit(unit(x, name + "branch7x7_1", 1, 1), name + "branch7x7_2", 1, 7)
    seven = unit(seven, name + "branch7x7_3", 7, 1)
    var double = unit(x, name + "branch7x7dbl_1", 1, 1)
    for (i, kernel) in [(7, 1), (1, 7), (7, 1), (1, 7)].enumerated() {
      double = unit(double, name + "branch7x7dbl_\(i + 2)", kernel.0, kernel.1)
    }
    return joined([one, seven, double, unit(mean(x), name + "branch_pool", 1, 1)])
  }

  private mutating func d(_ x: Map, _ name: String) -> Map {
    let three = unit(unit(x, name + "branch3x3_1", 1, 1), name + "branch3x3_2", 3, 3, stride: 2, padded: false)
    var seven = unit(unit(x, name + "branch7x7x3_1", 1, 1), name + "branch7x7x3_2", 1, 7)
    seven = unit(unit(seven, name + "branch7x7x3_3", 7, 1), name + "branch7x7x3_4", 3, 3, stride: 2, padded: false)
    return joined([three, seven, halved(x)])
  }

  private mutating func e(_ x: Map, _ name: String, _ pooled: Map) -> Map {
    let one = unit(x, name + "branch1x1", 1, 1)
    let three = unit(x, name + "branch3x3_1", 1, 1)
    let threes = [unit(three, name + "branch3x3_2a", 1, 3), unit(three, name + "branch3x3_2b", 3, 1)]
    let double = unit(unit(x, name + "branch3x3dbl_1", 1, 1), name + "branch3x3dbl_2", 3, 3)
    let doubles = [unit(double, name + "branch3x3dbl_3a", 1, 3), unit(double, name + "branch3x3dbl_3b", 3, 1)]
    return joined([one] + threes + doubles + [unit(pooled, name + "branch_pool", 1, 1)])
  }

  /// Convolution, batch norm, rectifier.
  private mutating func unit(
    _ x: Map, _ name: String, _ height: Int, _ width: Int, stride: Int = 1, padded: Bool = true, outputs: Int? = nil
  ) -> Map {
    let (inputs, outputs) = (x.planes.count, outputs ?? 2 + tensors.count % 3)
    let deviation = 1.4 / Float(inputs * height * width).squareRoot()
    let weights = draw("\(name).conv.weight", [outputs, inputs, height, width], deviation: deviation)
    let norm = [("weight", Float(1)), ("bias", 0.3), ("running_mean", 0), ("running_var", 1)].map { part, centre in
      draw("\(name).bn.\(part)", [outputs], deviation: 0.1, around: centre)
    }
    let convolved = windows(x, height, width, stride, padded ? height / 2 : 0, padded ? width / 2 : 0) {
      channels, places in
      (0..<outputs).map { output in
        var sum = 0.0
        for channel in 0..<channels {
          for (tap, pixel) in places {
            sum += x.planes[channel][pixel] * weights[(output * inputs + channel) * height * width + tap]
          }
        }
        let normalized = (sum - norm[2][output]) / (norm[3][output] + 1e-3).squareRoot()
        return max(0, normalized * norm[0][output] + norm[1][output])
      }
    }
    return convolved
  }

  private func mean(_ x: Map) -> Map { pooled(x, 1, 1) { $0.reduce(0, +) / Double($0.count) } }

  private func halved(_ x: Map) -> Map { pooled(x, 2, 0) { $0.max() ?? 0 } }

  private func pooled(_ x: Map, _ stride: Int, _ padding: Int, _ pool: ([Double]) -> Double) -> Map {
    windows(x, 3, 3, stride, padding, padding) { channels, places in
      (0..<channels).map { channel in pool(places.map { x.planes[channel][$0.pixel] }) }
    }
  }

  /// What `value` makes of the pixels inside of every window: a number for each channel of the result.
  private func windows(
    _ x: Map, _ height: Int, _ width: Int, _ stride: Int, _ top: Int, _ left: Int,
    _ value: (_ channels: Int, _ places: [(tap: Int, pixel: Int)]) -> [Double]
  ) -> Map {
    let extents = ((x.height + 2 * top - height) / stride + 1, (x.width + 2 * left - width) / stride + 1)
    let pixels = (0..<extents.0 * extents.1).map { pixel in
      let (line, column) = (pixel / extents.1 * stride - top, pixel % extents.1 * stride - left)
      let places = (0..<height * width).compactMap { tap -> (tap: Int, pixel: Int)? in
        let (y, x0) = (line + tap / width, column + tap % width)
        return y >= 0 && y < x.height && x0 >= 0 && x0 < x.width ? (tap, y * x.width + x0) : nil
      }
      return value(x.planes.count, places)
    }
    return Map(height: extents.0, width: extents.1, planes: pixels[0].indices.map { c in pixels.map { $0[c] } })
  }

  private func joined(_ maps: [Map]) -> Map {
    Map(height: maps[0].height, width: maps[0].width, planes: maps.flatMap(\.planes))
  }

  private mutating func draw(_ name: String, _ shape: [Int], deviation: Float, around centre: Float = 0) -> [Double] {
    let values = random.normal(shape.reduce(1, *), deviation: deviation).map { $0 + centre }
    tensors.append((name, shape, values))
    return values.map(Double.init)
  }
}

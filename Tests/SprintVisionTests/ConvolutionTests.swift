import SprintKernels
import SprintTestSupport
import Testing

@Suite("Convolutions")
struct ConvolutionTests {
  /// The kinds of convolutions of the networks here.
  static let geometries = [
    ConvolutionGeometry(inputs: 16, outputs: 24, kernel: (3, 3), padding: (1, 1)),
    ConvolutionGeometry(inputs: 3, outputs: 8, kernel: (3, 3), stride: 2, padding: (0, 0)),
    ConvolutionGeometry(
      inputs: 8, outputs: 8, kernelHeight: 3, kernelWidth: 3, stride: 2, top: 0, left: 0, bottom: 1, right: 1),
    ConvolutionGeometry(inputs: 16, outputs: 3, kernel: (3, 3), padding: (1, 1)),
    ConvolutionGeometry(inputs: 4, outputs: 6, kernel: (1, 1), padding: (0, 0)),
    ConvolutionGeometry(inputs: 16, outputs: 8, kernel: (1, 7), padding: (0, 3)),
    ConvolutionGeometry(inputs: 16, outputs: 8, kernel: (7, 1), padding: (3, 0)),
    ConvolutionGeometry(inputs: 8, outputs: 16, kernel: (5, 5), padding: (2, 2)),
    ConvolutionGeometry(inputs: 3, outputs: 16, kernel: (14, 14), stride: 14, padding: (0, 0)),
    ConvolutionGeometry(inputs: 128, outputs: 128, kernel: (3, 3), padding: (1, 1)),
  ]

  /// A convolution of random numbers, and its images.
  struct Case {
    let convolution: Convolution
    let weights, bias: [Float]
    let x, y: TestMaps

    init(_ geometry: ConvolutionGeometry, images: Int = 2, height: Int = 33, width: Int = 29, rectifies: Bool = false) {
      var random = Randomness("\(geometry)")
      weights = random.normal(geometry.weightCount, deviation: 0.1)
      bias = random.normal(geometry.outputs)
      convolution = Convolution(geometry, weights: weights, bias: bias, rectifies: rectifies)
      x = TestMaps(images, height, width, geometry.inputs)
      x.fill(random.normal(images * height * width * geometry.inputs))
      y = TestMaps(images, geometry.outputHeight(height), geometry.outputWidth(width), geometry.outputs)
    }

    var expected: [Double] {
      (0..<x.maps.count).flatMap { naiveConvolution(x.maps[$0], convolution.geometry, weights, bias) }
    }
  }

  @Test("A convolution is the sum over its window, also beyond the borders", arguments: geometries)
  func equalsTheSum(geometry: ConvolutionGeometry) {
    let test = Case(geometry)
    test.convolution(test.x.maps, into: test.y.maps, Workers(2))
    #expect(relativeError(test.y.doubles, test.expected) < 1e-6)
    #expect(test.y.isIntact)
  }

  @Test(
    "Any number of workers, one thread alone, and an image without the others give the same bits", arguments: geometries
  )
  func sameBits(geometry: ConvolutionGeometry) {
    let test = Case(geometry, height: 70)
    test.convolution(test.x.maps, into: test.y.maps, Workers(1))
    let expected = test.y.doubles
    for workers in [2, 3] {
      test.y.maps.pixels.clear()
      test.convolution(test.x.maps, into: test.y.maps, Workers(workers))
      #expect(test.y.doubles == expected)
    }
    test.y.maps.pixels.clear()
    for image in 0..<2 { test.convolution(test.x.maps[image], into: test.y.maps[image]) }
    #expect(test.y.doubles == expected)
  }

  @Test("Ranges of the channels of wider buffers are read and written", arguments: [false, true])
  func readsAndWritesRanges(adds: Bool) {
    let test = Case(Self.geometries[0])
    test.convolution(test.x.maps, into: test.y.maps, Workers(2))
    let (wideX, wideY) = (TestMaps(2, 33, 29, 40), TestMaps(2, 33, 29, 50))
    wideY.fill([Float](repeating: 1, count: 2 * 33 * 29 * 50))
    wideX.maps.channels(8..<24).pixels.copy(from: test.x.maps.pixels)
    test.convolution(wideX.maps.channels(8..<24), into: wideY.maps.channels(16..<40), adds: adds, Workers(2))
    let sum = test.y.doubles.enumerated().map { adds ? Double(Float($1) + 1) : $1 }
    #expect(relativeError(wideY.maps.channels(16..<40).doubles, sum) < 1e-6)
    #expect(wideY.maps.channels(0..<16).doubles.allSatisfy { $0 == 1 })
    #expect(wideY.maps.channels(40..<50).doubles.allSatisfy { $0 == 1 })
  }

  @Test("A rectified convolution has no negative numbers and keeps the others")
  func rectifies() {
    let test = Case(Self.geometries[1], rectifies: true)
    test.convolution(test.x.maps, into: test.y.maps, Workers(2))
    let expected = test.expected
    #expect(expected.contains { $0 < 0 })
    #expect(relativeError(test.y.doubles, expected.map { max(0, $0) }) < 1e-6)
  }
}

/// Maps with memory of their own that reveals writes outside.
struct TestMaps {
  private let memory: TestMatrix
  let maps: FeatureMaps

  init(_ count: Int, _ height: Int, _ width: Int, _ channels: Int) {
    memory = TestMatrix(count * height * width, channels)
    maps = FeatureMaps(memory.view, count: count, height: height, width: width)
  }

  func fill(_ values: [Float]) { for i in values.indices { memory.view.base[i] = values[i] } }
  var doubles: [Double] { maps.doubles }
  var isIntact: Bool { memory.isIntact }
}

extension FeatureMaps {
  var doubles: [Double] {
    (0..<pixels.rows).flatMap { pixel in (0..<channels).map { Double(pixels[pixel, $0]) } }
  }
}

/// Computes a convolution of one image in float64 by its definition.
func naiveConvolution(_ x: FeatureMaps, _ geometry: ConvolutionGeometry, _ weights: [Float], _ bias: [Float])
  -> [Double]
{
  let (height, width) = (geometry.outputHeight(x.height), geometry.outputWidth(x.width))
  return (0..<height * width).flatMap { pixel in
    (0..<geometry.outputs).map { output in
      var sum = Double(bias[output])
      for i in 0..<geometry.kernelHeight {
        for j in 0..<geometry.kernelWidth {
          let line = pixel / width * geometry.stride - geometry.top + i
          let column = pixel % width * geometry.stride - geometry.left + j
          guard (0..<x.height).contains(line), (0..<x.width).contains(column) else { continue }
          for input in 0..<geometry.inputs {
            let place = ((output * geometry.inputs + input) * geometry.kernelHeight + i) * geometry.kernelWidth + j
            sum += Double(weights[place]) * Double(x.pixels[line * x.width + column, input])
          }
        }
      }
      return sum
    }
  }
}

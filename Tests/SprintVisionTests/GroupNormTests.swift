import Foundation
import SprintKernels
import SprintTestSupport
import Testing

@Suite("Group norms of what convolutions write and read")
struct GroupNormTests {
  private static let (channels, groups, height, width) = (64, 32, 37, 21)

  /// A 1 x 1 convolution that adds `offset` to all channels.
  private static func identity(offset: Float) -> Convolution {
    let weights = (0..<channels * channels).map { Float($0 % (channels + 1) == 0 ? 1 : 0) }
    return Convolution(
      ConvolutionGeometry(inputs: channels, outputs: channels, kernel: (1, 1), padding: (0, 0)), weights: weights,
      bias: Array(repeating: offset, count: channels))
  }

  @Test("A norm uses mean and variance of its group of an image, also far from zero", arguments: [0, 300] as [Float])
  func equalsTheDefinition(offset: Float) {
    var random = Randomness()
    let (x, y, z) = (Self.maps(), Self.maps(), Self.maps())
    x.fill(random.normal(x.doubles.count, deviation: 0.5))
    let (weight, bias) = (random.matrix(1, Self.channels), random.matrix(1, Self.channels))
    let convolution = Self.identity(offset: offset)
    let slices = convolution.slices(height: Self.height, width: Self.width)
    let records = TestMatrix(2 * slices, GroupMoments.floats(groups: Self.groups))
    let moments = GroupMoments(records.view, slices: slices)
    convolution(ConvolutionSource(x.maps), into: y.maps, moments: moments, Workers(2))
    let (scale, shift) = (TestMatrix(2, Self.channels), TestMatrix(2, Self.channels))
    let scaling = ChannelScaling(scale: scale.view, shift: shift.view, isActivated: true)
    moments.normalize(weight: weight.vector, bias: bias.vector, epsilon: 1e-6, into: scaling)
    Self.identity(offset: 0)(ConvolutionSource(y.maps, scaling), into: z.maps, Workers(2))
    let expected = (0..<2).flatMap { Self.norm(y.maps[$0].doubles, weight.doubles, bias.doubles) }
    // A number near 300 has lost digits to it before the norm.
    #expect(relativeError(z.doubles, expected) < (offset == 0 ? 1e-6 : 1e-4))
    #expect(records.isIntact && scale.isIntact && shift.isIntact)
  }

  @Test("Upsampling repeats each pixel in both directions")
  func doubles() {
    var random = Randomness()
    let (x, y) = (Self.maps(), TestMaps(2, 2 * Self.height, 2 * Self.width, Self.channels))
    x.fill(random.normal(x.doubles.count))
    Self.identity(offset: 0)(ConvolutionSource(x.maps, isDoubled: true), into: y.maps, Workers(2))
    for image in 0..<2 {
      let (small, large) = (x.maps[image].pixels, y.maps[image].pixels)
      let differs = (0..<large.rows).contains { pixel in
        let (line, column) = (pixel / (2 * Self.width) / 2, pixel % (2 * Self.width) / 2)
        return large.vector(pixel).array != small.vector(line * Self.width + column).array
      }
      #expect(!differs)
    }
  }

  private static func maps() -> TestMaps { TestMaps(2, height, width, channels) }

  /// SiLU(group norm) of an image by their definitions.
  private static func norm(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
    let size = channels / groups
    let statistics = (0..<groups).map { group -> (mean: Double, deviation: Double) in
      let own = x.indices.filter { $0 % channels / size == group }.map { x[$0] }
      let mean = own.reduce(0, +) / Double(own.count)
      let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count)
      return (mean, (variance + 1e-6).squareRoot())
    }
    return x.indices.map { i in
      let (mean, deviation) = statistics[i % channels / size]
      let z = (x[i] - mean) / deviation * weight[i % channels] + bias[i % channels]
      return z / (1 + exp(-z))
    }
  }
}

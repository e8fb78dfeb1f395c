/// The weights of input pixels for output pixels along one axis, in Pillow's fixed point.
///
/// The filter is widened by the factor of reduction, so that it covers all input pixels: this is antialiasing.
/// `precompute_coeffs` and `normalize_coeffs_8bpc` of `src/libImaging/Resample.c`,
/// https://github.com/python-pillow/Pillow
struct ResamplingWeights: Sendable {
  /// The bits behind the point of a weight.
  static let fractionBits: Int32 = 32 - 8 - 2

  /// The input pixels of each output pixel.
  let inputs: [Range<Int>]
  /// Weights of output pixel i: `stride` numbers from i · stride on, of which the first ones are used.
  let weights: [Int32]
  let stride: Int

  /// - Parameters:
  ///   - input: the number of input pixels
  ///   - output: the number of output pixels
  ///   - wanted: the output pixels to compute
  init(from input: Int, to output: Int, _ filter: ResamplingFilter, of wanted: Range<Int>) {
    let scale = Double(input) / Double(output)
    let widening = max(1, scale)
    let support = filter.support * widening
    stride = Int(support.rounded(.up)) * 2 + 1
    var inputs: [Range<Int>] = []
    var weights = [Int32](repeating: 0, count: wanted.count * stride)
    for (place, index) in wanted.enumerated() {
      let center = (Double(index) + 0.5) * scale
      let first = max(0, Int(center - support + 0.5))
      let end = min(input, Int(center + support + 0.5))
      let raw = (first..<end).map { filter.weight((Double($0) - center + 0.5) * (1 / widening)) }
      let sum = raw.reduce(0, +)
      for (tap, weight) in raw.enumerated() {
        weights[place * stride + tap] = Self.fixed(sum == 0 ? weight : weight / sum)
      }
      inputs.append(first..<end)
    }
    (self.inputs, self.weights) = (inputs, weights)
  }

  /// The input pixels that any of the output pixels needs.
  var span: Range<Int> { (inputs.first?.lowerBound ?? 0)..<(inputs.last?.upperBound ?? 0) }

  private static func fixed(_ weight: Double) -> Int32 {
    Int32(weight * Double(1 << fractionBits) + (weight < 0 ? -0.5 : 0.5))
  }
}

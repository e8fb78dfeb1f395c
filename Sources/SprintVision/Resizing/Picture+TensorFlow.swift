import SprintFormats

extension Picture {
  /// Returns the picture resized as TensorFlow 1 does: bilinear, without half-pixel centres and without antialiasing.
  /// `tf.image.resize_bilinear` with `align_corners=False`.
  ///
  /// - Returns: [side, side, 3] red, green and blue in 0...255
  package func resizedBilinearTF1(side: Int) -> [Float] {
    let (across, down) = (BilinearStep.steps(from: width, to: side), BilinearStep.steps(from: height, to: side))
    var result = [Float](repeating: 0, count: 3 * side * side)
    for (y, row) in down.enumerated() {
      for (x, column) in across.enumerated() {
        let top = mix(self.colour(column.first, row.first), colour(column.second, row.first), column.fraction)
        let bottom = mix(colour(column.first, row.second), colour(column.second, row.second), column.fraction)
        let mixed = mix(top, bottom, row.fraction)
        for channel in 0..<3 { result[3 * (y * side + x) + channel] = mixed[channel] }
      }
    }
    return result
  }

  private func colour(_ x: Int, _ y: Int) -> SIMD4<Float> {
    let (red, green, blue) = self[x, y]
    return SIMD4(Float(red), Float(green), Float(blue), 0)
  }

  private func mix(_ first: SIMD4<Float>, _ second: SIMD4<Float>, _ fraction: Float) -> SIMD4<Float> {
    first + (second - first) * fraction
  }
}

/// Between which two input pixels an output pixel lies.
private struct BilinearStep {
  let first, second: Int
  /// The share of the second one.
  let fraction: Float

  /// Returns the steps along one axis, computed in float32 as TensorFlow does.
  static func steps(from input: Int, to output: Int) -> [BilinearStep] {
    let scale = Float(input) / Float(output)
    return (0..<output).map { index in
      let place = Float(index) * scale
      let first = min(Int(place), input - 1)
      return BilinearStep(first: first, second: min(first + 1, input - 1), fraction: place - Float(first))
    }
  }
}

/// Resampling along one axis as `torch.nn.functional.interpolate(mode="bicubic", align_corners=False)` does it: output
/// i is a sum of weighted inputs.
package struct BicubicResampling: Sendable {
  /// The place of an input and its weight.
  typealias Tap = (index: Int, weight: Float)
  /// The taps of every output.
  let taps: [[Tap]]

  /// Four taps around each point, a = -0.75, whatever the scale; places beyond an edge are those on it.
  ///
  /// - Parameter step: input places from one output to the next; PyTorch takes it from `scale_factor` where the caller
  ///   gives one, and not from the extents
  package init(from inputs: Int, to outputs: Int, step: Float? = nil) {
    let step = step ?? Float(inputs) / Float(outputs)
    taps = (0..<outputs).map { output in
      let point = step * (Float(output) + 0.5) - 0.5
      let below = point.rounded(.down)
      let t = point - below
      return [t + 1, t, 1 - t, 2 - t].enumerated().map { tap, distance in
        (min(max(Int(below) + tap - 1, 0), inputs - 1), Self.kernel(distance, -0.75))
      }
    }
  }

  /// With `antialias=True`: a = -0.5, and as many taps as the scale needs, whose weights sum to 1.
  package init(antialiasedFrom inputs: Int, to outputs: Int) {
    let step = Float(inputs) / Float(outputs)
    let stretch = max(step, 1)
    taps = (0..<outputs).map { output in
      let centre = step * (Float(output) + 0.5)
      let first = max(Int(centre - 2 * stretch + 0.5), 0)
      let end = min(Int(centre + 2 * stretch + 0.5), inputs)
      let weights = (first..<end).map { Self.kernel(abs(Float($0) - centre + 0.5) / stretch, -0.5) }
      let total = weights.reduce(0, +)
      return zip(first..<end, weights).map { ($0, $1 / total) }
    }
  }

  /// Keys' cubic convolution kernel at a distance of at least 0. IEEE Trans. ASSP 29(6), 1981.
  private static func kernel(_ x: Float, _ a: Float) -> Float {
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }

  /// Resamples both axes of a square map.
  ///
  /// - Parameter map: [n, n, channels]
  /// - Returns: [m, m, channels]
  package func resample(_ map: UnsafeBufferPointer<Float>, channels: Int) -> [Float] {
    let side = Int(Double(map.count / channels).squareRoot().rounded())
    precondition(side * side * channels == map.count, "\(map.count) numbers are no square of \(channels) channels")
    // Along the columns first: every tap is a whole row.
    let columns = combine(map, length: side * channels, pieces: 1)
    return columns.withUnsafeBufferPointer { combine($0, length: channels, pieces: taps.count) }
  }

  /// Sets out[p, i] = Σ weight · x[p, index], where x is [pieces, inputs, length].
  private func combine(_ x: UnsafeBufferPointer<Float>, length: Int, pieces: Int) -> [Float] {
    let inputs = x.count / (pieces * length)
    var out = [Float](repeating: 0, count: pieces * taps.count * length)
    out.withUnsafeMutableBufferPointer { out in
      for piece in 0..<pieces {
        for (i, taps) in taps.enumerated() {
          let target = (piece * self.taps.count + i) * length
          for tap in taps {
            let source = (piece * inputs + tap.index) * length
            for c in 0..<length { out[target + c] += tap.weight * x[source + c] }
          }
        }
      }
    }
    return out
  }
}

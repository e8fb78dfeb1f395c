/// A filter by which Pillow resizes pictures. `box_filter` and `bicubic_filter` of `src/libImaging/Resample.c`,
/// https://github.com/python-pillow/Pillow
package enum ResamplingFilter: Sendable {
  /// The mean of the input pixels that an output pixel covers.
  case box
  /// Cubic convolution with a = -0.5. R. Keys, 1981.
  case bicubic

  /// How far the filter reaches to each side, in pixels of the coarser grid.
  var support: Double { self == .box ? 0.5 : 2 }

  /// Returns the weight of a pixel at distance `x`.
  func weight(_ x: Double) -> Double {
    switch self {
    case .box: x > -0.5 && x <= 0.5 ? 1 : 0
    case .bicubic: Self.cubic(abs(x))
    }
  }

  private static func cubic(_ x: Double) -> Double {
    let a = -0.5
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
  }
}

/// What a group norm does to each channel of images, and the activation behind it: y = x · scale + shift, or the SiLU
/// of that, z / (1 + e^-z).
package struct ChannelScaling: Sendable {
  /// [B, C]
  package let scale, shift: Matrix<Float>
  private let isActivated: Bool

  /// - Parameter isActivated: whether y = SiLU(x · scale + shift)
  package init(scale: Matrix<Float>, shift: Matrix<Float>, isActivated: Bool) {
    precondition(scale.rows == shift.rows && scale.columns == shift.columns, "scales and shifts of other shapes")
    (self.scale, self.shift, self.isActivated) = (scale, shift, isActivated)
  }

  /// That of image `index`.
  subscript(index: Int) -> ChannelScaling {
    ChannelScaling(
      scale: scale.rows(index..<index + 1), shift: shift.rows(index..<index + 1), isActivated: isActivated)
  }

  /// Sets y of one pixel of a single image.
  func apply(_ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    for (i, lanes) in Vectors(scale.columns) {
      let z = shift.base.load(i, lanes).addingProduct(x.load(i, lanes), scale.base.load(i, lanes))
      y.store(isActivated ? z * sigmoid(z) : z, i, lanes)
    }
  }
}

/// The mean and the sum of squared differences from it of each group of channels, for each slice of each image. They
/// are taken where a slice is computed, while it is in cache.
package struct GroupMoments: Sendable {
  /// [B · slices, 2 · groups + 1]: the means, the sums, the number of elements of a group
  private let records: Matrix<Float>
  /// Slices of an image.
  package let slices: Int
  private var groups: Int { records.columns / 2 }

  /// The floats that the moments of a slice take.
  package static func floats(groups: Int) -> Int { 2 * groups + 1 }

  /// Moments in some memory.
  ///
  /// - Parameter records: [B · slices, `floats(groups)`]
  package init(_ records: Matrix<Float>, slices: Int) {
    precondition(records.columns % 2 == 1 && records.rows % slices == 0, "moments of parts of images")
    (self.records, self.slices) = (records, slices)
  }

  /// Sets the moments of a slice.
  func record(_ lines: FeatureMaps, at index: Int) {
    let channels = lines.channels
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * channels) { memory in
      guard let means = memory.baseAddress else { return }
      for (i, lanes) in Vectors(channels) { Self.moments(lines.pixels, i, lanes, means + i, means + channels + i) }
      join(means, means + channels, channels: channels, pixels: lines.pixels.rows, into: records.row(index))
    }
  }

  /// The moments of some channels. The numbers are shifted by the first pixel's, so that a mean far from zero costs no
  /// digits.
  private static func moments(
    _ pixels: Matrix<Float>, _ first: Int, _ lanes: Int, _ mean: UnsafeMutablePointer<Float>,
    _ sum: UnsafeMutablePointer<Float>
  ) {
    let origin = pixels.base.load(first, lanes)
    var (linear, square) = (SIMD16<Float>(), SIMD16<Float>())
    for pixel in 0..<pixels.rows {
      let difference = pixels.row(pixel).load(first, lanes) - origin
      linear += difference
      square = square.addingProduct(difference, difference)
    }
    let offset = linear / Float(pixels.rows)
    mean.store(origin + offset, 0, lanes)
    sum.store(square - linear * offset, 0, lanes)
  }

  /// Joins the moments of the channels of each group.
  private func join(
    _ means: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Float>, channels: Int, pixels: Int,
    into record: UnsafeMutablePointer<Float>
  ) {
    let width = channels / groups
    for group in 0..<groups {
      var moments = Moments()
      for c in group * width..<(group + 1) * width {
        moments.add(Moments(count: Double(pixels), mean: Double(means[c]), sum: Double(sums[c])))
      }
      (record[group], record[groups + group]) = (Float(moments.mean), Float(moments.sum))
    }
    record[2 * groups] = Float(pixels * width)
  }

  /// Mean and variance of a group of an image.
  fileprivate func moments(image: Int, group: Int) -> (mean: Double, variance: Double) {
    var all = Moments()
    for slice in image * slices..<(image + 1) * slices {
      let record = records.row(slice)
      all.add(
        Moments(
          count: Double(record[2 * groups]), mean: Double(record[group]), sum: Double(record[groups + group])))
    }
    return (all.mean, all.sum / all.count)
  }

  /// Sets the scaling of a group norm: y = (x - mean) / sqrt(variance + epsilon) · weight + bias, with the mean and
  /// variance of the channel's group. arXiv 1803.08494.
  ///
  /// - Parameters:
  ///   - weight: [C]
  ///   - bias: [C]
  ///   - scaling: of the images whose moments these are
  package func normalize(weight: Vector<Float>, bias: Vector<Float>, epsilon: Float, into scaling: ChannelScaling) {
    let width = weight.count / groups
    precondition(
      width * groups == scaling.scale.columns && bias.count == weight.count
        && scaling.scale.rows * slices == records.rows, "a group norm of other channels or images")
    for image in 0..<scaling.scale.rows {
      let (scale, shift) = (scaling.scale.row(image), scaling.shift.row(image))
      for group in 0..<groups {
        let (mean, variance) = moments(image: image, group: group)
        let factor = 1 / (variance + Double(epsilon)).squareRoot()
        for c in group * width..<(group + 1) * width {
          scale[c] = Float(factor * Double(weight[c]))
          shift[c] = Float(Double(bias[c]) - mean * factor * Double(weight[c]))
        }
      }
    }
  }
}

/// Mean and sum of squared differences from it of some numbers, which join with those of others.
private struct Moments {
  var (count, mean, sum) = (0.0, 0.0, 0.0)

  mutating func add(_ other: Moments) {
    let difference = other.mean - mean
    count += other.count
    mean += difference * other.count / count
    sum += other.sum + difference * difference * other.count * (count - other.count) / count
  }
}

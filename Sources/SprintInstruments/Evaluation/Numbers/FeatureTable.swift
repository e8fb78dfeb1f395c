import SprintCommunication
import SprintKernels

/// The features of images as one block of memory, for numbers that compare every image with every other one.
package struct FeatureTable: Sendable {
  /// The number of images, and F.
  package let count, features: Int
  private var values: [Float]

  /// A table of zeros, to be filled.
  package init(count: Int, features: Int) {
    (self.count, self.features) = (count, features)
    values = [Float](repeating: 0, count: count * features)
  }

  /// Sets the features of image `index`.
  package mutating func set(_ index: Int, _ row: [Float]) {
    precondition(index < count && row.count == features, "image \(index) of \(count), \(row.count) features")
    values.replaceSubrange(index * features..<(index + 1) * features, with: row)
  }

  /// Overwrites the table at every rank with rank zero's.
  mutating func broadcast(_ communicator: Communicator) throws {
    try values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      try communicator.broadcast(Vector(base, count: buffer.count))
    }
  }

  /// The images of `range` in float64.
  func rows(_ range: Range<Int>) -> [Double] {
    [Double](unsafeUninitializedCapacity: range.count * features) { target, initialized in
      let start = range.lowerBound * features
      for i in 0..<range.count * features { target.initializeElement(at: i, to: Double(values[start + i])) }
      initialized = range.count * features
    }
  }

  /// |x|² of every image.
  var squaredNorms: [Double] {
    (0..<count).map { row in
      values[row * features..<(row + 1) * features].reduce(0) { $0 + Double($1) * Double($1) }
    }
  }
}

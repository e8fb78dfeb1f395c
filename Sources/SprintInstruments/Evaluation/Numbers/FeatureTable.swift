import SprintCommunication
import SprintKernels

/// The features of images as one block of memory, for numbers that compare every image with every other one.
package struct FeatureTable: Sendable {
  /// The number of images.
  package private(set) var count = 0
  /// The number of images that have a place, and F.
  package let places, features: Int
  private var values: [Float]

  /// An empty table, with memory for `places` images.
  package init(places: Int, features: Int) {
    (self.places, self.features) = (places, features)
    values = [Float](repeating: 0, count: places * features)
  }

  /// Adds the features of the next image.
  package mutating func append(_ row: [Float]) {
    precondition(count < places && row.count == features, "image \(count) of \(places), \(row.count) features")
    values.replaceSubrange(count * features..<(count + 1) * features, with: row)
    count += 1
  }

  /// Overwrites the table at every rank with rank zero's.
  mutating func broadcast(_ communicator: Communicator) throws {
    count = Int(try communicator.broadcast([Double(count)])[0])
    let used = count * features
    try values.withUnsafeMutableBufferPointer { buffer in
      guard used > 0, let base = buffer.baseAddress else { return }
      try communicator.broadcast(Vector(base, count: used))
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

/// The shape of the projector of representation alignment. REPA, arXiv 2410.06940.
package struct ProjectorConfiguration: Sendable, Equatable {
  /// Width of the projector's two hidden layers.
  package var hidden: Int
  /// Width F of the teacher's features.
  package var featureWidth: Int
  /// The block whose output the projector reads, counted from one through encoder, middle and decoder.
  package var afterBlock: Int

  /// Makes a projector that reads the output of block `afterBlock`, counted from one.
  package init(hidden: Int, featureWidth: Int, afterBlock: Int) {
    self.hidden = hidden
    self.featureWidth = featureWidth
    self.afterBlock = afterBlock
  }
}

extension ProjectorConfiguration {
  /// The first problem of the shape as (key, message), or nil.
  func problem(blocks: Int) -> (key: String, message: String)? {
    let range = ModelConfiguration.Limits.projector
    for (key, value) in [("projector", hidden), ("feature_width", featureWidth)] where !range.contains(value) {
      return (key, "is \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
    if !(1...max(1, blocks)).contains(afterBlock) || blocks == 0 {
      return ("after_block", "is \(afterBlock); the model has \(blocks) blocks, counted from 1")
    }
    return nil
  }
}

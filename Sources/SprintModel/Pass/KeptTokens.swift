/// The tokens of a batch that the deep path keeps: M ids for every sample, in any order.
package struct KeptTokens: Sendable {
  /// M ids for sample 0, then for sample 1, ...
  package var ids: [Int32]
  /// M, the number of ids of a sample.
  package private(set) var perSample: Int

  /// Takes over `ids`, which holds `perSample` ids for every sample.
  package init(ids: [Int32], perSample: Int) {
    precondition(perSample > 0 && ids.count % perSample == 0, "\(ids.count) ids are not \(perSample) a sample")
    self.ids = ids
    self.perSample = perSample
  }

  /// Makes room for the ids of `samples` samples; allocates only if there is too little.
  package mutating func resize(to samples: Int, perSample: Int) {
    self.perSample = perSample
    ids.removeAll(keepingCapacity: true)
    ids.append(contentsOf: repeatElement(0, count: samples * perSample))
  }

  /// Calls `body` for every sample with the place of its ids, which `body` fills.
  package mutating func forEachSample(_ body: (_ sample: Int, _ ids: UnsafeMutableBufferPointer<Int32>) -> Void) {
    let count = perSample
    ids.withUnsafeMutableBufferPointer { all in
      for sample in 0..<all.count / count {
        body(sample, UnsafeMutableBufferPointer(rebasing: all[sample * count..<(sample + 1) * count]))
      }
    }
  }
}

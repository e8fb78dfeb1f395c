import SprintFormats
import SprintKernels

/// A look at samples spread over a data set: whether their numbers are what a model can learn from.
package struct DatasetSurvey: Sendable {
  /// Mean and deviation of one channel as the model sees it.
  package struct Channel: Encodable, Sendable {
    package let mean, deviation: Double
  }

  /// The number of samples that were looked at.
  package let looked: Int
  /// One entry a channel, of all samples that are finite and have no negative deviation; empty where none is.
  package let channels: [Channel]
  let faults: SampleFaults
  /// The same of the mirrored images that are stored.
  let flippedChannels: [Channel]
  let flippedFaults: SampleFaults
  let unread: [String]

  /// Looks at up to `most` samples.
  package init(_ dataset: LatentDataset, most: Int) throws {
    let looked = min(dataset.count, most)
    // The last sample too: a file whose writer was interrupted lacks its end.
    let indices = (0..<looked).map { looked == 1 ? 0 : $0 * (dataset.count - 1) / (looked - 1) }
    (faults, channels) = try Self.look(dataset, indices, flipped: false)
    (flippedFaults, flippedChannels) = try Self.look(dataset, dataset.hasFlipped ? indices : [], flipped: true)
    (self.looked, unread) = (looked, dataset.unread)
  }

  private static func look(
    _ dataset: LatentDataset, _ indices: [Int], flipped: Bool
  ) throws -> (SampleFaults, [Channel]) {
    let stored = Arena(count: dataset.storedElements)
    let seen = Arena(count: dataset.latentElements)
    var faults = SampleFaults()
    var sums = ChannelSums(channels: dataset.channels)
    for index in indices {
      try dataset.readStored(index, flipped: flipped, into: stored.elements)
      guard faults.note(stored.elements.buffer, of: index, hasMoments: dataset.hasMoments) else { continue }
      dataset.show(stored.elements.buffer, LatentRandomness(seed: 0), UInt64(index), in: seen.elements.buffer)
      sums.add(seen.elements.buffer)
    }
    return (faults, sums.channels)
  }
}

/// The faults of stored samples.
struct SampleFaults: Sendable {
  /// Samples with the same fault.
  struct Fault: Sendable {
    private(set) var count = 0
    /// The index of the first one, and a number from it.
    private(set) var first: (index: Int, value: Float)?

    fileprivate mutating func add(_ index: Int, _ value: Float) {
      count += 1
      if first == nil { first = (index, value) }
    }
  }

  /// The stored numbers are all the same.
  private(set) var constant = Fault()
  /// A number is not finite.
  private(set) var nonFinite = Fault()
  /// A deviation is negative.
  private(set) var negative = Fault()

  /// Counts the faults of a stored sample; returns whether the model can see it.
  mutating func note(_ values: UnsafeMutableBufferPointer<Float>, of index: Int, hasMoments: Bool) -> Bool {
    if let bad = values.first(where: { !$0.isFinite }) {
      nonFinite.add(index, bad)
      return false
    }
    if values.allSatisfy({ $0 == values[0] }) { constant.add(index, values[0]) }
    guard hasMoments, let bad = LatentDataset.negative(in: values) else { return true }
    negative.add(index, bad)
    return false
  }
}

/// Sums over latents, channel by channel.
private struct ChannelSums {
  private var sums: [(sum: Double, squares: Double)]
  /// Numbers of each channel.
  private var count = 0

  init(channels: Int) { sums = Array(repeating: (0, 0), count: channels) }

  mutating func add(_ latent: UnsafeMutableBufferPointer<Float>) {
    let plane = latent.count / sums.count
    for i in latent.indices {
      let value = Double(latent[i])
      sums[i / plane].sum += value
      sums[i / plane].squares += value * value
    }
    count += plane
  }

  /// Mean and deviation of each channel; none without a latent.
  var channels: [DatasetSurvey.Channel] {
    guard count > 0 else { return [] }
    return sums.map { sums in
      let mean = sums.sum / Double(count)
      return .init(mean: mean, deviation: max(0, sums.squares / Double(count) - mean * mean).squareRoot())
    }
  }
}

import SprintKernels

/// Sums gradients over ranks while the backward pass still computes those of earlier layers: each bucket is sent as
/// soon as its last gradient is final.
package final class GradientReduction {
  /// The number format in which summands travel.
  package enum Wire: String, Sendable, CaseIterable {
    /// float32, unchanged.
    case float32 = "f32"
    /// bfloat16, rounded once; the sum is computed in float32.
    case bfloat16 = "bf16"
  }

  private let communicator: Communicator
  private let gradients: Vector<Float>
  private let plan: BucketPlan
  private let isSharded: Bool
  private let wire: Wire
  private let scratch: Arena
  /// The number of floats in each bucket that are not final yet.
  private var missing: [Int]
  private var pending: [Pending] = []
  private var busyBefore = 0.0

  /// Seconds that the communication thread spent on the last reduction, and seconds that the caller waited for it.
  package private(set) var secondsBusy = 0.0, secondsWaited = 0.0

  /// Prepares the reduction of an arena of gradients.
  ///
  /// - Parameter isSharded: whether each rank receives the sums of its own shards only
  package init(
    _ communicator: Communicator, _ gradients: Vector<Float>, _ plan: BucketPlan, isSharded: Bool, wire: Wire
  ) {
    (self.communicator, self.gradients, self.plan) = (communicator, gradients, plan)
    (self.isSharded, self.wire) = (isSharded, wire)
    missing = plan.buckets.map(\.count)
    let largest = plan.buckets.map(\.count).max() ?? 0
    scratch = Arena(count: communicator.size > 1 ? largest + plan.ranks : 0)
  }

  /// Notes that a range of the arena is final. The ranges cover the arena and come in the same order at every rank.
  package func markFinal(_ range: Range<Int>) {
    guard communicator.size > 1, !range.isEmpty else { return }
    for bucket in plan.buckets(touching: range) {
      missing[bucket] -= plan.buckets[bucket].clamped(to: range).count
      precondition(missing[bucket] >= 0, "gradients \(range) were marked final twice")
      guard missing[bucket] == 0 else { continue }
      if pending.isEmpty { busyBefore = communicator.secondsBusy }
      pending.append(start(bucket))
    }
  }

  /// Waits until all buckets are summed. Afterwards this rank's shards, or all gradients without sharding, are sums
  /// over ranks.
  package func wait() throws {
    guard communicator.size > 1 else { return }
    precondition(pending.count == plan.buckets.count, "not all gradients are final")
    let clock = ContinuousClock()
    let waited = try clock.measure { for bucket in pending { try bucket.wait() } }
    (secondsBusy, secondsWaited) = (communicator.secondsBusy - busyBefore, waited / .seconds(1))
    (pending, missing) = ([], plan.buckets.map(\.count))
  }

  private func start(_ bucket: Int) -> Pending {
    let (values, shards) = (gradients[plan.buckets[bucket]], plan.shardsInBucket(bucket))
    let (wire, isSharded, scratch) = (wire, isSharded, scratch)
    return communicator.submit { transport in
      try Trace.span("reduction", "gradients of bucket \(bucket)") {
        switch wire {
        case .float32:
          try transport.reduceScatter(values, shards: shards, scratch: scratch.elements)
          if !isSharded { try transport.allGather(values, shards: shards) }
        case .bfloat16:
          try transport.reduceScatterBFloat16(values, shards: shards, scratch: scratch.elements)
          if !isSharded { try transport.allGatherBFloat16(values, shards: shards, scratch: scratch.elements) }
        }
      }
    }
  }
}

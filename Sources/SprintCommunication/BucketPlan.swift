/// Cuts an arena into buckets, which are reduced one after another, and each bucket into one shard per rank.
package struct BucketPlan: Sendable, Equatable {
  /// The range of each bucket in the arena, in order; together they cover the arena.
  package let buckets: [Range<Int>]
  /// The number of ranks that share each bucket.
  package let ranks: Int

  /// The number of floats in a bucket, 4 MiB: large enough for a link's full rate, and small enough that the last
  /// bucket, whose reduction starts when the backward pass ends, takes little time.
  package static let bucketFloats = 1 << 20

  private let bucketFloats: Int

  /// Cuts `count` floats for `ranks` ranks.
  package init(count: Int, ranks: Int, bucketFloats: Int = BucketPlan.bucketFloats) {
    (self.ranks, self.bucketFloats) = (ranks, bucketFloats)
    buckets = stride(from: 0, to: count, by: bucketFloats).map { $0..<min($0 + bucketFloats, count) }
  }

  /// The indices of the buckets that `range` overlaps.
  func buckets(touching range: Range<Int>) -> Range<Int> {
    range.lowerBound / bucketFloats..<(range.upperBound + bucketFloats - 1) / bucketFloats
  }

  /// The range in the arena of a rank's shard of a bucket.
  package func shard(ofBucket bucket: Int, rank: Int) -> Range<Int> {
    let range = buckets[bucket]
    let cut = { (rank: Int) in range.lowerBound + rank * range.count / ranks }
    return cut(rank)..<cut(rank + 1)
  }

  /// The ranges of all shards of a bucket, counted from the start of the bucket.
  func shardsInBucket(_ bucket: Int) -> [Range<Int>] {
    let start = buckets[bucket].lowerBound
    return (0..<ranks).map { rank in
      let shard = shard(ofBucket: bucket, rank: rank)
      return shard.lowerBound - start..<shard.upperBound - start
    }
  }

  /// The ranges in the arena of a rank's shards, in order.
  package func shards(ofRank rank: Int) -> [Range<Int>] { buckets.indices.map { shard(ofBucket: $0, rank: rank) } }
}

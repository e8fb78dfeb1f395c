/// How an arena is cut: into buckets that are reduced one after another, and every bucket into one shard a rank.
package struct BucketPlan: Sendable, Equatable {
  /// The buckets' places in the arena, in order; they cover it.
  package let buckets: [Range<Int>]
  /// How many ranks share each bucket.
  package let ranks: Int

  /// Buckets of 4 MiB: large enough for a link's full rate; of larger ones the last takes longer to follow the backward pass.
  package static let bucketFloats = 1 << 20

  private let bucketFloats: Int

  /// Cuts `count` floats for `ranks` ranks.
  package init(count: Int, ranks: Int, bucketFloats: Int = BucketPlan.bucketFloats) {
    (self.ranks, self.bucketFloats) = (ranks, bucketFloats)
    buckets = stride(from: 0, to: count, by: bucketFloats).map { $0..<min($0 + bucketFloats, count) }
  }

  /// The numbers of the buckets that a stretch of the arena reaches into.
  func buckets(touching range: Range<Int>) -> Range<Int> {
    range.lowerBound / bucketFloats..<(range.upperBound + bucketFloats - 1) / bucketFloats
  }

  /// The place in the arena of one rank's shard of a bucket.
  package func shard(ofBucket bucket: Int, rank: Int) -> Range<Int> {
    let range = buckets[bucket]
    let cut = { (rank: Int) in range.lowerBound + rank * range.count / ranks }
    return cut(rank)..<cut(rank + 1)
  }

  /// The places within a bucket of all its shards.
  func shardsInBucket(_ bucket: Int) -> [Range<Int>] {
    let start = buckets[bucket].lowerBound
    return (0..<ranks).map { rank in
      let shard = shard(ofBucket: bucket, rank: rank)
      return shard.lowerBound - start..<shard.upperBound - start
    }
  }

  /// The places in the arena of one rank's shards, in order.
  package func shards(ofRank rank: Int) -> [Range<Int>] { buckets.indices.map { shard(ofBucket: $0, rank: rank) } }
}

import SprintKernels
import SprintTestSupport
import Testing

import SprintCommunication

/// Compares collectives among simulated ranks with sums that one thread computes.
@Suite(.timeLimit(.minutes(5))) struct CollectivesTests {
  static let rankCounts = [1, 2, 3, 4, 5, 8]

  /// If this fails, a message that MPI cannot count in 32 bits ends all ranks with a trap.
  @Test("A message of any size is cut into pieces that MPI can count, in order and without gaps")
  func largeMessages() {
    for count in [0, 1, 1 << 30, 1 << 30 + 1, 5 << 30 + 3] {
      // Addresses alone; nobody touches the memory.
      let bytes = UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(bitPattern: 4096), count: count)
      let pieces = Message(peer: 3, bytes: bytes).pieces(atMost: 1 << 30)
      #expect(pieces.allSatisfy { $0.peer == 3 && $0.bytes.count <= 1 << 30 })
      var next = bytes.baseAddress
      for piece in pieces {
        #expect(piece.bytes.baseAddress == next)
        next = next.map { $0 + piece.bytes.count }
      }
      #expect(next == bytes.baseAddress.map { $0 + count } && !pieces.isEmpty)
    }
  }

  /// Reduces `count` random numbers per rank; returns their sums in double precision and the result of every rank.
  private func reduced(
    ranks: Int, count: Int, bucket: Int, isSharded: Bool, wire: GradientReduction.Wire
  ) throws -> (expected: [Double], results: [[Float]], plan: BucketPlan) {
    var random = Randomness("gradients of \(ranks) ranks")
    let summands = (0..<ranks).map { _ in random.normal(count) }
    let expected = (0..<count).map { i in summands.reduce(0.0) { $0 + Double($1[i]) } }
    let plan = BucketPlan(count: count, ranks: ranks, bucketFloats: bucket)
    let results = try Ranks.run(ranks) { communicator in
      let arena = Arena(count: count)
      for i in 0..<count { arena.elements[i] = summands[communicator.rank][i] }
      let reduction = GradientReduction(communicator, arena.elements, plan, isSharded: isSharded, wire: wire)
      // Ranges become final out of order, as those of modulations do.
      let ranges = stride(from: 0, to: count, by: 7).map { $0..<min($0 + 7, count) }
      for parity in 0...1 {
        for (index, range) in ranges.enumerated() where index % 2 == parity { reduction.markFinal(range) }
      }
      try reduction.wait()
      return arena.elements.array
    }
    return (expected, results, plan)
  }

  @Test("Each rank's shards hold the sums over ranks, for any number of ranks and buckets", arguments: rankCounts)
  func sharded(ranks: Int) throws {
    for (count, bucket) in [(1, 100), (5, 3), (1000, 1000), (1003, 64)] {
      let (expected, results, plan) = try reduced(
        ranks: ranks, count: count, bucket: bucket, isSharded: true, wire: .float32)
      for rank in 0..<ranks {
        for range in plan.shards(ofRank: rank) {
          for i in range { #expect(abs(Double(results[rank][i]) - expected[i]) < 1e-5) }
        }
      }
    }
  }

  @Test("Without sharding all ranks get all sums, with the same bits", arguments: rankCounts)
  func plain(ranks: Int) throws {
    for wire in GradientReduction.Wire.allCases {
      let (expected, results, _) = try reduced(ranks: ranks, count: 1003, bucket: 100, isSharded: false, wire: wire)
      for result in results { #expect(result == results[0]) }
      // Every summand is rounded to the eight bits of bfloat16, and the sum once more.
      let tolerance = wire == .float32 || ranks == 1 ? 1e-5 : 0.004 * 4 * Double(ranks)
      for i in expected.indices { #expect(abs(Double(results[0][i]) - expected[i]) < tolerance) }
    }
  }

  @Test("With bfloat16 on the wire the summands are rounded and the sums are not", arguments: [2, 3, 5])
  func bfloat16(ranks: Int) throws {
    var random = Randomness("rounding")
    let summands = (0..<ranks).map { _ in random.normal(64) }
    let plan = BucketPlan(count: 64, ranks: ranks)
    let results = try Ranks.run(ranks) { communicator in
      let arena = Arena(count: 64)
      for i in 0..<64 { arena.elements[i] = summands[communicator.rank][i] }
      let reduction = GradientReduction(communicator, arena.elements, plan, isSharded: true, wire: .bfloat16)
      reduction.markFinal(0..<64)
      try reduction.wait()
      return arena.elements[plan.shard(ofBucket: 0, rank: communicator.rank)].array
    }
    func rounded(_ x: Float) -> Float {
      let bits = x.bitPattern
      return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
    }
    let expected = (0..<64).map { i in summands.dropFirst().reduce(rounded(summands[0][i])) { $0 + rounded($1[i]) } }
    #expect(results.flatMap { $0 } == expected)
  }

  @Test("Rank zero gathers in the order of ranks, and all ranks get what it broadcasts", arguments: rankCounts)
  func records(ranks: Int) throws {
    let results = try Ranks.run(ranks) { communicator in
      let rank = Double(communicator.rank)
      let gathered = try communicator.gather([rank, 10 * rank])
      let texts = try communicator.gather("rank \(communicator.rank)")
      let sent = try communicator.broadcast([rank + 5, 7])
      let sum = try communicator.sum([1, rank])
      let holds = try communicator.anyRank(communicator.rank == ranks - 1)
      return (gathered, texts, sent, sum, holds)
    }
    #expect(results[0].0 == (0..<ranks).map { [Double($0), 10 * Double($0)] })
    #expect(results[0].1 == (0..<ranks).map { "rank \($0)" })
    for result in results {
      #expect(result.2 == [5, 7] && result.3 == [Double(ranks), Double(ranks * (ranks - 1) / 2)] && result.4)
    }
  }

  @Test("Gathered shards and floats that rank zero broadcasts arrive unchanged", arguments: rankCounts)
  func floats(ranks: Int) throws {
    let plan = BucketPlan(count: 1003, ranks: ranks, bucketFloats: 100)
    let whole = (0..<1003).map(Float.init)
    let results = try Ranks.run(ranks) { communicator in
      let shards = plan.shards(ofRank: communicator.rank)
      let (own, all, sent) = (Arena(count: shards.reduce(0) { $0 + $1.count }), Arena(count: 1003), Arena(count: 1003))
      var next = 0
      for i in shards.joined() {
        own.elements[next] = whole[i]
        all.elements[i] = whole[i]
        next += 1
      }
      let gathered = communicator.rank == 0 ? Arena(count: 1003) : nil
      try communicator.gatherShards(own.elements, into: gathered?.elements, plan)
      try communicator.allGather(all.elements, plan)
      if communicator.rank == 0 { for i in 0..<1003 { sent.elements[i] = whole[i] } }
      try communicator.broadcast(sent.elements)
      return (gathered?.elements.array, all.elements.array, sent.elements.array)
    }
    #expect(results[0].0 == whole)
    for result in results { #expect(result.1 == whole && result.2 == whole) }
  }

  @Test("An error at one rank ends the work of all, and rank zero reports it", arguments: [1, 2, 3, 5])
  func agreement(ranks: Int) throws {
    struct Mistake: Error, CustomStringConvertible { let description = "no such file" }
    for failing in 0..<ranks {
      let messages = try Ranks.run(ranks) { communicator in
        do {
          try communicator.agree { if communicator.rank == failing { throw Mistake() } }
          return "none"
        } catch is FailureElsewhere {
          return "elsewhere"
        } catch { return "\(error)" }
      }
      #expect(messages[0] == (failing == 0 ? "no such file" : "rank \(failing): no such file"))
      #expect(messages.dropFirst().allSatisfy { $0 == "elsewhere" })
    }
    #expect(try Ranks.run(ranks) { try $0.agree { 3 } } == Array(repeating: 3, count: ranks))
  }

  @Test("Shards cover each bucket, buckets cover the arena, and no rank has more than its share")
  func plan() {
    for (count, ranks) in [(1, 1), (10, 3), (1003, 7), (3, 8)] {
      let plan = BucketPlan(count: count, ranks: ranks, bucketFloats: 100)
      let all = plan.buckets.indices.flatMap { bucket in
        (0..<ranks).flatMap { Array(plan.shard(ofBucket: bucket, rank: $0)) }
      }
      #expect(all == Array(0..<count))
      for rank in 0..<ranks {
        let own = plan.shards(ofRank: rank).reduce(0) { $0 + $1.count }
        #expect(own <= count / ranks + plan.buckets.count)
      }
    }
  }
}

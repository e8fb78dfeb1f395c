import Foundation
import SprintKernels

// Collective operations that the caller waits for. A single process exchanges nothing.

extension Communicator {
  /// Waits until all ranks have called it.
  package func barrier() throws { _ = try broadcast(try gather([0]).first ?? [0]) }

  /// Returns the numbers of all ranks, in the order of ranks, at rank zero, and nothing at other ranks. All ranks give
  /// the same count.
  package func gather<Number: BitwiseCopyable>(_ record: [Number]) throws -> [[Number]] {
    guard size > 1, !record.isEmpty else { return rank == 0 ? Array(repeating: record, count: size) : [] }
    let length = record.count * MemoryLayout<Number>.stride
    let memory = Memory(byteCount: size * length)
    record.withUnsafeBytes { own in
      UnsafeMutableRawBufferPointer(rebasing: memory.bytes[rank * length..<(rank + 1) * length]).copyMemory(from: own)
    }
    try submit { try $0.gather(memory.bytes, length: length) }.wait()
    guard rank == 0 else { return [] }
    let all = memory.bytes.bindMemory(to: Number.self)
    return (0..<size).map { Array(all[$0 * record.count..<($0 + 1) * record.count]) }
  }

  /// Returns the texts of all ranks, each cut at 1000 bytes, in the order of ranks, at rank zero, and nothing at other
  /// ranks.
  package func gather(_ text: String) throws -> [String] {
    var bytes = [Double](repeating: 0, count: 125)
    bytes.withUnsafeMutableBytes { $0.copyBytes(from: text.utf8.prefix(1000)) }
    return try gather(bytes).map { record in
      record.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
  }

  /// Returns rank zero's numbers at every rank. All ranks give the same count.
  package func broadcast(_ record: [Double]) throws -> [Double] {
    guard size > 1, !record.isEmpty else { return record }
    let memory = Memory(byteCount: record.count * 8)
    record.withUnsafeBytes { memory.bytes.copyMemory(from: $0) }
    try submit { try $0.broadcast(memory.bytes) }.wait()
    return Array(memory.bytes.bindMemory(to: Double.self))
  }

  /// Returns rank zero's text at every rank.
  package func broadcast(_ text: String) throws -> String {
    let bytes = Array(text.utf8).map(Double.init)
    let count = Int(try broadcast([Double(bytes.count)])[0])
    let padded = bytes.prefix(count) + Array(repeating: 0, count: max(0, count - bytes.count))
    return String(decoding: try broadcast(Array(padded)).map { UInt8($0) }, as: UTF8.self)
  }

  /// Returns the sums over all ranks, added in the order of ranks, at every rank.
  package func sum(_ record: [Double]) throws -> [Double] {
    let zero = [Double](repeating: 0, count: record.count)
    return try broadcast(try gather(record).reduce(zero) { sums, record in zip(sums, record).map { $0 + $1 } })
  }

  /// Returns, at every rank, whether `condition` holds at any rank.
  package func anyRank(_ condition: Bool) throws -> Bool { try sum([condition ? 1 : 0])[0] > 0 }

  /// Does `work` at every rank. If it fails at any rank, all ranks throw: rank zero the error of the first failing
  /// rank, the others `FailureElsewhere`.
  package func agree<Result>(_ work: () throws -> Result) throws -> Result {
    let result = Swift.Result { try work() }
    var message = ""
    if case .failure(let error) = result { message = describe(error).isEmpty ? "failed" : describe(error) }
    let messages = try gather(message)
    let failing = messages.firstIndex { !$0.isEmpty }
    guard try broadcast([failing.map(Double.init) ?? -1])[0] >= 0 else { return try result.get() }
    guard let failing else { throw FailureElsewhere() }
    guard failing != 0 else { return try result.get() }
    throw RankFailure(rank: failing, message: messages[failing])
  }

  /// Overwrites `values` at every rank with rank zero's.
  package func broadcast(_ values: Vector<Float>) throws {
    try inPieces(0..<values.count) { piece in
      try submit { try $0.broadcast(UnsafeMutableRawBufferPointer(values[piece].buffer)) }.wait()
    }
  }

  /// Sends every rank's shard of each bucket to all ranks.
  package func allGather(_ values: Vector<Float>, _ plan: BucketPlan) throws {
    guard size > 1 else { return }
    for bucket in plan.buckets.indices { try startAllGather(values, plan, bucket: bucket).wait() }
  }

  /// Starts to send every rank's shard of one bucket to all ranks.
  package func startAllGather<Element: MatrixElement>(_ values: Vector<Element>, _ plan: BucketPlan, bucket: Int)
    -> Pending
  {
    submit { transport in
      try Trace.span("reduction", "weights of bucket \(bucket)") {
        try transport.allGather(values[plan.buckets[bucket]], shards: plan.shardsInBucket(bucket))
      }
    }
  }

  /// Sends every rank's shards to rank zero.
  ///
  /// - Parameters:
  ///   - own: this rank's shards of all buckets, one after another
  ///   - values: memory for the shards of all ranks, at rank zero
  package func gatherShards(_ own: Vector<Float>, into values: Vector<Float>?, _ plan: BucketPlan) throws {
    var start = 0
    for (bucket, range) in plan.buckets.enumerated() {
      let shard = own[start..<start + plan.shard(ofBucket: bucket, rank: rank).count]
      start += shard.count
      guard size > 1 else {
        values?[range].copy(from: shard)
        continue
      }
      try submit { try $0.gatherShards(shard, into: values?[range], shards: plan.shardsInBucket(bucket)) }.wait()
    }
  }

  /// Splits a large transfer: MPI counts bytes in 32 bits, and heartbeats have to be received in between.
  private func inPieces(_ range: Range<Int>, _ transfer: (Range<Int>) throws -> Void) throws {
    guard size > 1 else { return }
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 22) {
      try transfer(start..<min(start + (1 << 22), range.upperBound))
    }
  }
}

/// Bytes that live until the operations that use them are done.
private final class Memory: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { bytes.deallocate() }
}

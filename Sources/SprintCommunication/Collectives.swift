import SprintKernels

// What all ranks do together, written once over point-to-point messages: the same algorithm, and so the same bits, over MPI
// and between simulated ranks. All ranks call the same operations in the same order.

extension Transport {
  /// Sums over ranks, each shard at its own rank. Ring: every rank sends and receives (R - 1) / R of the vector, whatever R is.
  ///
  /// - Parameters:
  ///   - values: [n] each rank's summand; afterwards the own shard holds the sum, the rest is of no use
  ///   - shards: R ranges that cover `values` in order
  ///   - scratch: room for the largest shard
  func reduceScatter(_ values: Vector, shards: [Range<Int>], scratch: Vector) throws {
    for step in 0..<size - 1 {
      let outgoing = shards[(rank - 1 - step + 2 * size) % size]
      let incoming = shards[(rank - 2 - step + 2 * size) % size]
      let received = scratch[0..<incoming.count]
      try exchange(send: [message(values[outgoing], next)], receive: [message(received, previous)])
      accumulate(received, into: values[incoming])
    }
  }

  /// Brings every rank's shard to all ranks. Ring, as in `reduceScatter`.
  func allGather(_ values: Vector, shards: [Range<Int>]) throws {
    for step in 0..<size - 1 {
      let outgoing = shards[(rank - step + size) % size]
      let incoming = shards[(rank - 1 - step + size) % size]
      try exchange(send: [message(values[outgoing], next)], receive: [message(values[incoming], previous)])
    }
  }

  /// `reduceScatter` with half the bytes: summands travel as bfloat16, straight to the rank that sums them up in float32, in the
  /// order of ranks.
  ///
  /// - Parameter scratch: room for as many floats as `values` and the largest shard have together
  func reduceScatterBFloat16(_ values: Vector, shards: [Range<Int>], scratch: Vector) throws {
    let own = shards[rank]
    let (outgoing, incoming) = (BFloat16Vector(scratch), BFloat16Vector(scratch).dropFirst(values.count))
    for shard in shards { outgoing[shard].round(values[shard]) }
    let peers = (0..<size).filter { $0 != rank }
    func place(_ peer: Int) -> BFloat16Vector { incoming[peer * own.count..<(peer + 1) * own.count] }
    try exchange(
      send: peers.map { Message(peer: $0, bytes: outgoing[shards[$0]].bytes) },
      receive: peers.map { Message(peer: $0, bytes: place($0).bytes) })
    let total = values[own]
    // The own summand is rounded like the others, so that the sum does not depend on who makes it.
    outgoing[own].copy(to: place(rank))
    place(0).widen(into: total)
    for peer in 1..<size { place(peer).accumulate(into: total) }
  }

  /// `allGather` with half the bytes; every rank, the owner too, ends with the rounded values.
  func allGatherBFloat16(_ values: Vector, shards: [Range<Int>], scratch: Vector) throws {
    let rounded = BFloat16Vector(scratch)
    rounded[shards[rank]].round(values[shards[rank]])
    for step in 0..<size - 1 {
      let outgoing = shards[(rank - step + size) % size]
      let incoming = shards[(rank - 1 - step + size) % size]
      try exchange(
        send: [Message(peer: next, bytes: rounded[outgoing].bytes)],
        receive: [Message(peer: previous, bytes: rounded[incoming].bytes)])
    }
    rounded[0..<values.count].widen(into: values)
  }

  /// Brings rank zero's bytes to all ranks, along a binomial tree.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws {
    var reach = 1
    while reach < size, rank & reach == 0 { reach <<= 1 }
    if rank != 0 { try exchange(send: [], receive: [Message(peer: rank - reach, bytes: bytes)]) }
    reach >>= 1
    while reach > 0 {
      if rank + reach < size { try exchange(send: [Message(peer: rank + reach, bytes: bytes)], receive: []) }
      reach >>= 1
    }
  }

  /// Brings one record of every rank to rank zero, in the order of ranks, along a binomial tree.
  ///
  /// - Parameter records: [R · length] on every rank, the own record at its place
  func gather(_ records: UnsafeMutableRawBufferPointer, length: Int) throws {
    func part(_ ranks: Range<Int>) -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(rebasing: records[ranks.lowerBound * length..<ranks.upperBound * length])
    }
    var held = 1
    while held < size {
      if rank & held != 0 {
        let own = rank..<min(rank + held, size)
        return try exchange(send: [Message(peer: rank - held, bytes: part(own))], receive: [])
      }
      if rank + held < size {
        let theirs = rank + held..<min(rank + 2 * held, size)
        try exchange(send: [], receive: [Message(peer: rank + held, bytes: part(theirs))])
      }
      held <<= 1
    }
  }

  /// Brings every rank's shard to rank zero, straight to its place.
  func gatherShards(_ own: Vector, into values: Vector?, shards: [Range<Int>]) throws {
    guard rank == 0 else { return try exchange(send: [message(own, 0)], receive: []) }
    guard let values else { preconditionFailure("rank zero gathers into memory of its own") }
    values[shards[0]].copy(from: own)
    try exchange(send: [], receive: (1..<size).map { message(values[shards[$0]], $0) })
  }

  private var next: Int { (rank + 1) % size }
  private var previous: Int { (rank + size - 1) % size }

  private func message(_ values: Vector, _ peer: Int) -> Message {
    Message(peer: peer, bytes: UnsafeMutableRawBufferPointer(values.buffer))
  }
}

/// y += x
private func accumulate(_ x: Vector, into y: Vector) {
  for i in 0..<x.count { y[i] += x[i] }
}

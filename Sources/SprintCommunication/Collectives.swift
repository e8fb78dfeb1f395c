import SprintKernels

// Collective operations, written over point-to-point messages, so that MPI and simulated ranks run the same algorithm
// and get the same bits. All ranks call the same operations in the same order.

extension Transport {
  /// Sums `values` over ranks and leaves each shard of the sum at its own rank. The ranks form a ring, in which each
  /// sends and receives (R - 1) / R of the vector.
  ///
  /// - Parameters:
  ///   - values: [n] the summand of this rank; afterwards its own shard holds the sum and the other shards are
  ///     meaningless
  ///   - shards: R ranges that cover `values` in order
  ///   - scratch: room for the largest shard
  func reduceScatter(_ values: Vector<Float>, shards: [Range<Int>], scratch: Vector<Float>) throws {
    for step in 0..<size - 1 {
      let outgoing = shards[(rank - 1 - step + 2 * size) % size]
      let incoming = shards[(rank - 2 - step + 2 * size) % size]
      let received = scratch[0..<incoming.count]
      try exchange(send: [message(values[outgoing], next)], receive: [message(received, previous)])
      values[incoming].add(received)
    }
  }

  /// Sends every rank's shard to all ranks, around a ring as in `reduceScatter`.
  func allGather<Element: MatrixElement>(_ values: Vector<Element>, shards: [Range<Int>]) throws {
    for step in 0..<size - 1 {
      let outgoing = shards[(rank - step + size) % size]
      let incoming = shards[(rank - 1 - step + size) % size]
      try exchange(send: [message(values[outgoing], next)], receive: [message(values[incoming], previous)])
    }
  }

  /// Does what `reduceScatter` does with half the bytes: summands travel as bfloat16 straight to the rank that owns the
  /// shard, which adds them in float32 in the order of ranks.
  ///
  /// - Parameter scratch: room for as many floats as `values` and the largest shard have together
  func reduceScatterBFloat16(_ values: Vector<Float>, shards: [Range<Int>], scratch: Vector<Float>) throws {
    let own = shards[rank]
    let all = scratch.viewed(as: BFloat16.self)
    let (outgoing, incoming) = (all[0..<values.count], all[values.count..<all.count])
    outgoing.copy(from: values)
    let peers = (0..<size).filter { $0 != rank }
    func place(_ peer: Int) -> Vector<BFloat16> { incoming[peer * own.count..<(peer + 1) * own.count] }
    try exchange(
      send: peers.map { Message(peer: $0, bytes: outgoing[shards[$0]].bytes) },
      receive: peers.map { Message(peer: $0, bytes: place($0).bytes) })
    let total = values[own]
    // This rank's own summand is rounded too, so that the sum does not depend on which rank computes it.
    place(rank).copy(from: outgoing[own])
    total.copy(from: place(0))
    for peer in 1..<size { total.add(place(peer)) }
  }

  /// Does what `allGather` does with half the bytes; every rank, the owner included, ends with the rounded values.
  func allGatherBFloat16(_ values: Vector<Float>, shards: [Range<Int>], scratch: Vector<Float>) throws {
    let rounded = scratch.viewed(as: BFloat16.self)[0..<values.count]
    rounded[shards[rank]].copy(from: values[shards[rank]])
    try allGather(rounded, shards: shards)
    values.copy(from: rounded)
  }

  /// Sends rank zero's bytes to all ranks, along a binomial tree.
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

  /// Sends one record of every rank to rank zero, along a binomial tree.
  ///
  /// - Parameter records: [R · length] memory for all records in the order of ranks; each rank has written its own
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

  /// Sends every rank's shard to rank zero, straight to its place in `values`.
  func gatherShards(_ own: Vector<Float>, into values: Vector<Float>?, shards: [Range<Int>]) throws {
    guard rank == 0 else { return try exchange(send: [message(own, 0)], receive: []) }
    guard let values else { preconditionFailure("rank zero has to give memory for all shards") }
    values[shards[0]].copy(from: own)
    try exchange(send: [], receive: (1..<size).map { message(values[shards[$0]], $0) })
  }

  private var next: Int { (rank + 1) % size }
  private var previous: Int { (rank + size - 1) % size }

  private func message<Element: MatrixElement>(_ values: Vector<Element>, _ peer: Int) -> Message {
    Message(peer: peer, bytes: values.bytes)
  }
}

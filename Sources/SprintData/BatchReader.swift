import SprintKernels

/// The B samples of one rank's slice of a global batch, as the model sees them.
package struct LatentBatch: Sendable {
  /// The draw index of the first sample; those of the others follow.
  package let firstDraw: UInt64
  /// [B, C · S · S]
  package let latents: Matrix<Float>
  /// [B]
  package let labels: [Int]
  /// [B · N, F] teacher features, if the data set was opened with them and the batch needs them.
  package let features: Matrix<Float>?
  /// [B, request.layout.count] a teacher's attention, if the reader was asked for it and the batch needs it.
  package let attention: Matrix<Float>?
  /// [B, F] teacher's class tokens, if the data set was opened with them.
  package let classTokens: Matrix<Float>?
}

/// Reads batches ahead of time on a thread of its own. `next` returns one batch after another; the memory of a batch is
/// valid until the next call. Close a reader when you are done with it.
package final class BatchReader: @unchecked Sendable {
  private let dataset: LatentDataset
  private let order: SampleOrder
  private let randomness: LatentRandomness
  private let globalBatch: Int
  private let attention: AttentionRequest?
  private let teacherBatches: Int
  private let slice: Range<Int>
  private let slots: [Slot]
  private let arena: Arena
  /// For the stored attention of one sample.
  private let scratch: Vector<Float>
  private let condition = Condition()
  /// Guarded by `condition`: finished batches, the numbers of the next batch to read and to take, and whether to end.
  private var finished: [Result<LatentBatch, any Error>?]
  private var nextRead = 0
  private var nextTaken = 0
  private var isClosed = false
  private let firstDraw: UInt64

  private struct Slot {
    let latents: Matrix<Float>
    let features, attention, classTokens: Matrix<Float>?

    /// The slot of a batch that is not aligned.
    var withoutAlignment: Slot { Slot(latents: latents, features: nil, attention: nil, classTokens: classTokens) }
  }

  /// Starts to read.
  ///
  /// - Parameters:
  ///   - batch: samples of a global batch
  ///   - slice: the samples of each global batch to deliver; nil delivers all of them
  ///   - firstDraw: the draw index of the first sample of the first global batch
  ///   - attention: the part of the teacher's attention to read, or nil for none
  ///   - teacherBatches: the number of batches, from the first on, that need the teacher's features and attention; the
  ///     others come without them. Class tokens come with all batches
  ///   - ahead: the largest number of batches that are finished and not yet taken
  package init(
    _ dataset: LatentDataset, order: SampleOrder, randomness: LatentRandomness, batch: Int, slice: Range<Int>? = nil,
    firstDraw: UInt64, attention: AttentionRequest? = nil, teacherBatches: Int = .max, ahead: Int = 2
  ) {
    (self.dataset, self.order, self.randomness, self.teacherBatches) = (dataset, order, randomness, teacherBatches)
    (globalBatch, self.firstDraw, self.slice) = (batch, firstDraw, slice ?? 0..<batch)
    let batch = self.slice.count
    let shape = teacherBatches > 0 ? dataset.featureShape : nil
    let request = teacherBatches > 0 ? attention : nil
    let scratchCount = request == nil ? 0 : Arena.aligned(dataset.attentionShape?.count ?? 0)
    let counts = [
      batch * dataset.latentElements, batch * (shape.map { $0.tokens * $0.width } ?? 0),
      batch * (request?.layout.count ?? 0), batch * (dataset.classTokenWidth ?? 0),
    ]
    // One slot more than `ahead`, for the batch in use.
    let arena = Arena(count: (ahead + 1) * counts.reduce(0) { $0 + Arena.aligned($1) } + scratchCount)
    slots = (0...ahead).map { _ in
      Slot(
        latents: arena.matrix(rows: batch, columns: dataset.latentElements),
        features: shape.map { arena.matrix(rows: batch * $0.tokens, columns: $0.width) },
        attention: request.map { arena.matrix(rows: batch, columns: $0.layout.count) },
        classTokens: dataset.classTokenWidth.map { arena.matrix(rows: batch, columns: $0) })
    }
    scratch = arena.matrix(rows: 1, columns: scratchCount).flattened
    (self.arena, self.attention) = (arena, request)
    finished = Array(repeating: nil, count: ahead + 1)
    do {
      try BackgroundThread.start("batch reader") { [weak self] in
        while let number = BatchReader.waitForRoom(self) { self?.deliver(number) }
      }
    } catch {
      // `next` tells, as it does of data that cannot be read.
      condition.withLock { for slot in finished.indices { finished[slot] = .failure(error) } }
    }
  }

  /// Returns the next batch, once it is finished.
  package func next() throws -> LatentBatch {
    condition.lock()
    defer { condition.unlock() }
    let slot = nextTaken % slots.count
    while finished[slot] == nil { condition.wait() }
    guard let result = finished[slot] else { preconditionFailure("the slot of a finished batch is empty") }
    // A failure stays: the next call meets it too.
    let batch = try result.get()
    finished[slot] = nil
    nextTaken += 1
    condition.broadcast()
    return batch
  }

  /// Ends the thread; do not call `next` afterwards.
  package func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until there is room for another batch; returns its number, or nil once the reader is closed.
  private static func waitForRoom(_ reader: BatchReader?) -> Int? {
    guard let reader else { return nil }
    reader.condition.lock()
    defer { reader.condition.unlock() }
    // The batch that was taken last is still in use, so its slot stays as it is.
    while !reader.isClosed, reader.nextRead >= reader.nextTaken + reader.slots.count - 1 { reader.condition.wait() }
    guard !reader.isClosed else { return nil }
    reader.nextRead += 1
    return reader.nextRead - 1
  }

  private func deliver(_ number: Int) {
    let slot = slots[number % slots.count]
    let result = Result { try read(number, slot) }
    condition.lock()
    finished[number % slots.count] = result
    condition.broadcast()
    condition.unlock()
  }

  private func read(_ number: Int, _ slot: Slot) throws -> LatentBatch {
    let first = firstDraw + UInt64(number * globalBatch + slice.lowerBound)
    let slot = number < teacherBatches ? slot : slot.withoutAlignment
    var labels: [Int] = []
    for b in 0..<slice.count {
      let draw = first + UInt64(b)
      let index = order.sample(draw: draw)
      labels.append(dataset.label(index))
      try dataset.latent(index, random: randomness, draw: draw, into: slot.latents.vector(b))
      try readTeacher(index, draw, into: slot, b)
    }
    return LatentBatch(
      firstDraw: first, latents: slot.latents, labels: labels, features: slot.features, attention: slot.attention,
      classTokens: slot.classTokens)
  }

  /// Reads what the batch needs of the teacher for its sample `b`: of the mirrored image where the draw shows that.
  private func readTeacher(_ index: Int, _ draw: UInt64, into slot: Slot, _ b: Int) throws {
    let isMirrored = dataset.isMirrored(randomness, draw: draw)
    if let features = slot.features, let tokens = dataset.featureShape?.tokens {
      try dataset.features(index, mirrored: isMirrored, into: features.rows(b * tokens..<(b + 1) * tokens).flattened)
    }
    if let classTokens = slot.classTokens {
      try dataset.classToken(index, mirrored: isMirrored, into: classTokens.vector(b))
    }
    if let attention = slot.attention, let request = self.attention {
      let room = scratch[0..<(dataset.attentionShape?.count ?? 0)]
      try dataset.attention(
        index, mirrored: isMirrored, request, draw: draw, into: attention.vector(b), scratch: room)
    }
  }
}

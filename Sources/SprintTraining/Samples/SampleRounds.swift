import SprintCommunication

/// What a rank makes of one tile of images.
package struct SampleTile<Number: BitwiseCopyable> {
  /// The same count for each image.
  package var numbers: [Number]
  /// The first image with a value that is not finite, if that is a mistake.
  package var fault: (image: Int, value: Float)?

  /// Numbers without a fault, unless one is given.
  package init(_ numbers: [Number], fault: (image: Int, value: Float)? = nil) {
    (self.numbers, self.fault) = (numbers, fault)
  }
}

/// Numbered images, made in tiles of a fixed size: in each round every rank makes one tile.
package struct SampleRounds {
  /// The number of images, and of those in a tile.
  package let count, tile: Int

  package init(count: Int, tile: Int) { (self.count, self.tile) = (count, tile) }

  /// Makes images from `first` on, and delivers those of each round in order at rank zero. All ranks call it.
  ///
  /// - Parameters:
  ///   - first: an image that starts a tile; the images before it exist already
  ///   - numbers: how many numbers an image has
  ///   - stopRequested: called once per round; if it returns true at any rank, the work stops
  ///   - make: returns a whole tile of images; those after the last one are filling
  ///   - deliver: called at rank zero with the numbers of one or more images
  /// - Returns: whether all images were made
  /// - Throws: `SampleError.notFinite` at rank zero for the first fault
  package func run<Number: BitwiseCopyable>(
    from first: Int, numbers: Int, _ communicator: Communicator, stopRequested: () -> Bool,
    make: (_ first: Int) throws -> SampleTile<Number>, deliver: ([Number]) throws -> Void
  ) throws -> Bool {
    precondition(first % tile == 0 || first == count, "work starts at a tile")
    for round in stride(from: first, to: count, by: tile * communicator.size) {
      let own = round + communicator.rank * tile
      let made = try communicator.agree { own < count ? try make(own) : nil }
      let all = try gather(made, numbers, communicator)
      try communicator.agree {
        let numbers = try all().prefix((count - round) * numbers)
        if !numbers.isEmpty { try deliver(Array(numbers)) }
      }
      if try communicator.anyRank(stopRequested()), round + tile * communicator.size < count { return false }
    }
    return true
  }

  /// Returns what gives the tiles of all ranks at rank zero, and nothing at the others; it throws for the first fault.
  private func gather<Number: BitwiseCopyable>(
    _ made: SampleTile<Number>?, _ numbers: Int, _ communicator: Communicator
  ) throws -> () throws -> [Number] {
    let faults = try communicator.gather([made?.fault.map { Double($0.image) } ?? -1, Double(made?.fault?.value ?? 0)])
    // A rank without a tile sends as many bytes as the others.
    let own = made?.numbers.withUnsafeBytes(Array.init)
    let bytes = own ?? [UInt8](repeating: 0, count: tile * numbers * MemoryLayout<Number>.stride)
    let tiles = try communicator.gather(bytes)
    return {
      if let fault = faults.first(where: { $0[0] >= 0 }) {
        throw SampleError.notFinite(image: Int(fault[0]), value: Float(fault[1]))
      }
      return tiles.flatMap { tile in tile.withUnsafeBytes { Array($0.bindMemory(to: Number.self)) } }
    }
  }
}

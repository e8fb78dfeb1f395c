import SprintKernels

/// Latents and labels from one or more files, as the model sees them.
package final class LatentDataset: Sendable {
  /// Number of samples.
  package let count: Int
  /// C and S of a latent.
  package let channels, side: Int
  /// What the stored numbers mean.
  package let properties: LatentProperties
  private let files: [LatentFile]
  /// Where each file's samples start.
  private let starts: [Int]
  private let flips: Bool

  /// Opens files that belong together.
  ///
  /// - Parameters:
  ///   - paths: the files; their samples follow one another
  ///   - flips: whether images are mirrored at random
  ///   - features: the name of the teacher's features under `/features`
  package init(paths: [String], flips: Bool = false, features: String? = nil) throws {
    files = try paths.map { try LatentFile(path: $0, features: features) }
    guard let first = files.first else { throw DatasetError.unfit(problem: "names no file") }
    for file in files.dropFirst() {
      guard file.channels == first.channels, file.side == first.side, file.properties == first.properties,
        file.featureShape.map({ [$0.tokens, $0.width] }) == first.featureShape.map({ [$0.tokens, $0.width] })
      else {
        throw DatasetError.unusable(
          path: file.path, problem: "its shape or its attributes differ from those of \(first.path)")
      }
    }
    var starts = [0]
    for file in files { starts.append(starts[starts.count - 1] + file.count) }
    self.starts = starts
    count = starts[starts.count - 1]
    (channels, side, properties, self.flips) = (first.channels, first.side, first.properties, flips)
  }

  /// Tokens and width of the teacher's features, where they were asked for.
  package var featureShape: (tokens: Int, width: Int)? { files[0].featureShape }

  /// Whether samples are drawn from moments.
  package var hasMoments: Bool { files[0].hasMoments }

  /// Whether mirrored images are stored in all files.
  package var hasFlipped: Bool { files.allSatisfy(\.hasFlipped) }

  /// Where the latents are from, in the words of whoever stored them.
  package var source: String { files[0].source }

  /// Elements of one latent.
  package var latentElements: Int { channels * side * side }

  /// Checks what a model needs of the data: its shape, and labels below `classes`.
  package func check(channels: Int, side: Int, classes: Int) throws {
    guard channels == self.channels, side == self.side else {
      throw DatasetError.unusable(
        path: files[0].path,
        problem: "latents of \(self.channels) channels and side \(self.side), the model expects \(channels) and \(side)"
      )
    }
    for file in files {
      guard let bad = file.labels.firstIndex(where: { $0 >= classes }) else { continue }
      throw DatasetError.unusable(
        path: file.path,
        problem: "sample \(bad) has label \(file.labels[bad]), the model has \(classes) classes (0 to \(classes - 1))")
    }
  }

  /// The class of sample `index`.
  package func label(_ index: Int) -> Int {
    let (file, entry) = place(index)
    return Int(file.labels[entry])
  }

  /// One sample as the model sees it: drawn from its moments where it has them, mirrored at random where asked for, scaled and
  /// shifted. The random numbers are those of draw `draw`.
  package func latent(_ index: Int, random: LatentRandomness, draw: UInt64, into latent: Vector) throws {
    precondition(latent.count == latentElements, "room for \(latent.count) of \(latentElements) elements")
    let (file, entry) = place(index)
    let isFlipped = flips && random.flip.uniform(draw: draw) < 0.5
    let stored = latent.count * (file.hasMoments ? 2 : 1)
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: stored) { values in
      try file.read(entry, flipped: isFlipped, into: values)
      if file.hasMoments { sample(values, random.posterior, draw) }
      if isFlipped, !file.hasFlipped { mirror(values) }
      let plane = side * side
      for i in 0..<latent.count { latent[i] = values[i] * properties.scale[i / plane] + properties.shift[i / plane] }
    }
    for i in 0..<latent.count where !latent[i].isFinite {
      throw DatasetError.unusable(path: file.path, problem: "sample \(entry) holds \(latent[i])")
    }
  }

  /// Elements of a sample as it is stored.
  package var storedElements: Int { latentElements * (files[0].hasMoments ? 2 : 1) }

  /// Bytes of all stored samples.
  package var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

  /// Sample `index` as it is stored: [C or 2 C, S, S].
  package func readStored(_ index: Int, into values: Vector) throws {
    let (file, entry) = place(index)
    try file.read(entry, flipped: false, into: values.buffer)
  }

  /// The teacher's features of sample `index`, [tokens · F].
  package func features(_ index: Int, into features: Vector) throws {
    let (file, entry) = place(index)
    try file.readFeatures(entry, into: features.buffer)
  }

  /// mean + std · ε, in the place of the mean.
  private func sample(_ moments: UnsafeMutableBufferPointer<Float>, _ random: Philox, _ draw: UInt64) {
    let half = moments.count / 2
    withUnsafeTemporaryAllocation(of: Float.self, capacity: half) { noise in
      random.fillNormal(noise, draw: draw)
      for i in 0..<half { moments[i] += moments[half + i] * noise[i] }
    }
  }

  private func mirror(_ values: UnsafeMutableBufferPointer<Float>) {
    for row in 0..<channels * side {
      values[row * side..<(row + 1) * side].reverse()
    }
  }

  private func place(_ index: Int) -> (LatentFile, Int) {
    precondition(index >= 0 && index < count, "sample \(index) of \(count)")
    var (low, high) = (0, files.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= index { low = middle } else { high = middle - 1 }
    }
    return (files[low], index - starts[low])
  }
}

/// The generators that reading a sample needs.
package struct LatentRandomness: Sendable {
  let posterior, flip: Philox

  /// Generators of a seed; validation has its own, so that it sees the same draw every time.
  package init(seed: UInt64, validation: Bool = false) {
    posterior = Philox(seed: seed, purpose: validation ? .validationPosterior : .posterior)
    flip = Philox(seed: seed, purpose: .flip)
  }
}

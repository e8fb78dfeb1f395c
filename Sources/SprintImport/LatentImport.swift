import SprintData
import Crypto
import Foundation
import SprintCommunication
import SprintFormats
import SprintKernels

/// Brings latents from somebody else's layout into one file to train on: read, checked and written piece by piece, by all ranks, so that memory
/// does not depend on their number, and resumed where it was interrupted.
package struct LatentImport: Sendable {
  /// What is asked for.
  package struct Options: Sendable {
    /// The layout, or nil where it is unmistakable.
    package var layout: SourceLayout?
    /// Whether float16 is stored instead of float32.
    package var isHalf = true
    /// Name of the autoencoder, or nil for the layout's own.
    package var vae: String?
    /// A file of statistics that scale and shift follow from.
    package var statistics: String?
    /// A factor besides these statistics.
    package var multiplier: Float = 1
    /// Where the classes are, if not where the layout has them.
    package var labels: String?
    /// What stands behind the mean, or nil for the layout's own.
    package var secondHalf: SecondHalf?
    /// Classes have to be below this number.
    package var classes = 1000

    /// The defaults.
    package init() {}
  }

  /// What was imported.
  package struct Summary: Sendable, Encodable {
    /// The layout's name.
    package var layout: String
    /// How many samples, and the extents of a latent.
    package var samples, channels, side: Int
    /// Whether moments were stored, and mirrored images besides.
    package var hasMoments, hasFlipped: Bool
    /// The model sees stored · scale + shift.
    package var scale, shift: [Float]
  }

  /// What is imported.
  package let summary: Summary
  private let options: Options
  private let layout: SourceLayout
  private let sourcePath: String
  private let source: any LatentSource
  private let secondHalf: SecondHalf?
  private let properties: LatentProperties
  private let output: ImportOutput

  /// Looks into a source and checks all that can be known before everything is read.
  package init(_ source: String, to out: String, _ options: Options) throws {
    let path = source.count > 1 && source.hasSuffix("/") ? String(source.dropLast()) : source
    guard FileManager.default.fileExists(atPath: path) else { throw ImportError.source(path, "does not exist") }
    if Pickle.isOne(path) { throw ImportError.source(path, Pickle.remedy) }
    guard !FileManager.default.fileExists(atPath: out) else {
      throw ImportError.source(out, "is there already; remove it, or name another file")
    }
    (sourcePath, self.options) = (path, options)
    layout = try options.layout ?? SourceLayout.detect(path)
    let latents = try Self.open(layout, path, options)
    self.source = latents
    secondHalf = try Self.secondHalf(layout, latents, path, options.secondHalf)
    properties = try Self.properties(layout, path, channels: latents.shape.channels, options)
    summary = Summary(
      layout: layout.rawValue, samples: latents.count, channels: latents.shape.channels, side: latents.shape.side,
      hasMoments: latents.shape.hasMoments, hasFlipped: latents.shape.hasFlipped, scale: properties.scale,
      shift: properties.shift)
    let recipe =
      "\(URL(fileURLWithPath: path).path) \(layout) \(latents.count) \(latents.shape) \(properties) \(options) \(String(describing: secondHalf))"
    output = ImportOutput(
      out, samples: latents.count, latents.shape, isHalf: options.isHalf, properties,
      source: "\(layout.rawValue) \(path)", recipe: SHA256.hash(data: Data(recipe.utf8)).description)
  }

  /// Imports what is not there yet. All ranks call it.
  ///
  /// - Parameters:
  ///   - stopRequested: asked after each round; where a rank wishes it, what is there is kept
  ///   - report: told how many samples of all are there
  /// - Returns: whether all are there
  package func run(
    _ communicator: Communicator, _ workers: Workers, stopRequested: () -> Bool, report: (Int, Int) -> Void
  ) throws -> Bool {
    do {
      try communicator.agree { if communicator.rank == 0 { try output.prepare() } }
      let isDone = try importPieces(communicator, workers, stopRequested, report)
      try communicator.agree { if isDone, communicator.rank == 0 { try output.finish() } }
      return isDone
    } catch {
      // Ranks that lost each other can go on from what there is; what a mistake has left cannot be used.
      if communicator.rank == 0, !(error is CommunicationError) { output.remove() }
      throw error
    }
  }

  private func importPieces(
    _ communicator: Communicator, _ workers: Workers, _ stopRequested: () -> Bool, _ report: (Int, Int) -> Void
  ) throws -> Bool {
    let file = try communicator.agree { try output.open() }
    let missing = file.missingPieces
    var done = (0..<output.pieces).filter { !missing.contains($0) }.reduce(0) { $0 + output.samples(ofPiece: $1).count }
    report(done, source.count)
    for round in stride(from: 0, to: missing.count, by: communicator.size) {
      let own = round + communicator.rank
      try communicator.agree {
        if own < missing.count { try self.importPiece(missing[own], file, workers) }
      }
      done += missing[round..<min(round + communicator.size, missing.count)]
        .reduce(0) { $0 + output.samples(ofPiece: $1).count }
      report(done, source.count)
      if try communicator.anyRank(stopRequested()), round + communicator.size < missing.count { return false }
    }
    return true
  }

  private func importPiece(_ index: Int, _ file: ImportOutput.Opened, _ workers: Workers) throws {
    let samples = output.samples(ofPiece: index)
    let piece = ImportPiece(samples.count, source.shape, isHalf: options.isHalf)
    let failures = FirstFailure()
    workers.run(tasks: samples.count) { [self] _, i in
      if failures.isBefore(i) { return }
      do { try importSample(samples.lowerBound + i, at: i, into: piece) } catch { failures.note(i, error) }
    }
    try failures.rethrow()
    try file.write(piece, index)
  }

  private func importSample(_ index: Int, at place: Int, into piece: ImportPiece) throws {
    try ImportError.naming(source.name(index), in: sourcePath) {
      let elements = source.shape.elements
      try withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * elements) { memory in
        let values = UnsafeMutableBufferPointer(rebasing: memory[..<elements])
        let flipped = UnsafeMutableBufferPointer(rebasing: memory[elements...])
        let label = try source.read(index, into: values, flipped: source.shape.hasFlipped ? flipped : nil)
        guard (0..<options.classes).contains(label) else {
          throw UnfitSample("label \(label), expected 0 to \(options.classes - 1); see --classes")
        }
        piece.labels[place] = Int64(label)
        try store(values, piece.values, place)
        if let target = piece.flipped { try store(flipped, target, place) }
      }
    }
  }

  /// Checks a sample's numbers, and turns them into what is stored.
  private func store(
    _ values: UnsafeMutableBufferPointer<Float>, _ target: UnsafeMutableRawBufferPointer, _ place: Int
  ) throws {
    // A sum is finite only where all are, up to an overflow that the second look tells apart.
    if !values.reduce(0, +).isFinite, let bad = values.first(where: { !$0.isFinite }) {
      throw UnfitSample("holds \(bad), expected finite numbers")
    }
    let half = UnsafeMutableBufferPointer(rebasing: values[(values.count / 2)...])
    switch secondHalf {
    case .std:
      if let bad = half.first(where: { $0 < 0 }) {
        throw UnfitSample(
          "\(bad) where a standard deviation should be: these are logarithms of variances; say so with --second-half logvar"
        )
      }
    case .logVariance: for i in half.indices { half[i] = Self.deviation(logVariance: half[i]) }
    case nil: break
    }
    guard options.isHalf else {
      return UnsafeMutableRawBufferPointer(rebasing: target[(place * values.count * 4)...]).copyMemory(
        from: UnsafeRawBufferPointer(values))
    }
    let halves = target.assumingMemoryBound(to: Float16.self)
    for i in values.indices { halves[place * values.count + i] = Float16(values[i]) }
    if let i = values.indices.first(where: { !halves[place * values.count + $0].isFinite }) {
      throw UnfitSample("holds \(values[i]), more than float16 can; use --dtype f32")
    }
  }

  private static func deviation(logVariance: Float) -> Float {
    Float(exp(0.5 * Double(max(-30, min(20, logVariance)))))
  }
}

// MARK: What a layout means

extension LatentImport {
  private static func open(_ layout: SourceLayout, _ path: String, _ options: Options) throws -> any LatentSource {
    let labels = options.labels
    if labels != nil, ![.repa, .edm2, .repaE, .speedrunDiT].contains(layout) {
      throw ImportError.source(path, "the layout \(layout.rawValue) has classes of its own; leave out --labels")
    }
    return switch layout {
    case .repa, .edm2: try NumberedFiles(path, inner: "vae-sd", prefix: "img-mean-std-", moments: true, labels: labels)
    case .speedrunDiT: try NumberedFiles(path, inner: "vae-in", prefix: "img-latents-", moments: false, labels: labels)
    case .repaE: try SampleDatasets(path, labels: labels)
    case .fastDiT: try PairedFiles(path)
    case .lightningDiT: try LightningShards(path)
    case .mar: try ArchivePerImage(path)
    case .maskDiT: try MaskDiTDatabase(path)
    }
  }

  /// Scale and shift as published, or from a statistics file.
  private static func properties(_ layout: SourceLayout, _ path: String, channels: Int, _ options: Options) throws
    -> LatentProperties
  {
    func all(_ scale: Float) -> (scale: [Float], shift: [Float]) {
      (Array(repeating: scale, count: channels), Array(repeating: 0, count: channels))
    }
    var (scale, shift): ([Float], [Float])
    switch (layout, options.statistics) {
    case (_, let file?):
      let statistics = try LatentStatistics(path: file, channels: channels, multiplier: options.multiplier)
      (scale, shift) = (statistics.scale, statistics.shift)
    case (.repaE, nil), (.lightningDiT, nil):
      throw ImportError.source(
        path, "the layout \(layout.rawValue) scales by its data set's statistics; name their file with --statistics")
    case (.edm2, nil):
      guard channels == 4 else { throw ImportError.source(path, "\(channels) channels, EDM2 has 4") }
      // training/encoders.py of EDM2: raw_mean, raw_std, final_std 0.5.
      (scale, shift) = zip([5.81, 3.25, 0.12, -2.15] as [Float], [4.17, 4.62, 3.71, 3.28] as [Float])
        .reduce(into: ([], [])) { result, raw in
          result.0.append(0.5 / raw.1)
          result.1.append(-raw.0 * (0.5 / raw.1))
        }
    case (.repa, nil), (.maskDiT, nil): (scale, shift) = all(0.18215)
    case (.speedrunDiT, nil): (scale, shift) = all(0.3099)
    case (.mar, nil): (scale, shift) = all(0.2325)
    case (.fastDiT, nil): (scale, shift) = all(1)
    }
    return LatentProperties(
      scale: scale, shift: shift, kind: "latents", pixelRange: -1...1, vae: options.vae ?? layout.vae)
  }

  /// What stands behind the mean: as the layout has it, unless the first samples speak against it.
  private static func secondHalf(
    _ layout: SourceLayout, _ source: any LatentSource, _ path: String, _ choice: SecondHalf?
  ) throws -> SecondHalf? {
    guard source.shape.hasMoments else {
      guard choice == nil else { throw ImportError.source(path, "holds drawn latents; leave out --second-half") }
      return nil
    }
    guard choice == nil, layout.secondHalf == .logVariance else { return choice ?? layout.secondHalf }
    let looked = min(source.count, 64)
    var values = [Float](repeating: 0, count: source.shape.elements)
    var mirrored = values
    for index in 0..<looked {
      try ImportError.naming(source.name(index), in: path) {
        try values.withUnsafeMutableBufferPointer { values in
          try mirrored.withUnsafeMutableBufferPointer {
            _ = try source.read(index, into: values, flipped: source.shape.hasFlipped ? $0 : nil)
          }
        }
      }
      if values[(values.count / 2)...].contains(where: { !($0 >= 0) }) { return .logVariance }
    }
    throw ImportError.source(
      path,
      "the layout \(layout.rawValue) has logarithms of variances behind the means, but none of the first \(looked) samples has a "
        + "negative one: they look like standard deviations; say which they are with --second-half std|logvar")
  }
}

extension ImportError {
  /// Adds the name of a sample to whatever goes wrong with it.
  static func naming<Result>(_ name: String, in source: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      throw ImportError.sample(source: source, name: name, problem: "\(error)")
    }
  }
}

import Crypto
import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels

/// An import of latents from another project's layout into one file to train on.
///
/// All ranks read, check and write the samples piece by piece, so that memory does not depend on the number of samples.
/// An import that was interrupted continues where it stopped.
package struct LatentImport: Sendable {
  /// What an import reads and writes.
  package struct Summary: Sendable, Encodable {
    /// The layout's name.
    package var layout: String
    /// The number of samples, and the extents of a latent.
    package var samples, channels, side: Int
    /// Whether the data set holds moments, and latents of mirrored images.
    package var hasMoments, hasFlipped: Bool
    /// The model sees stored · scale + shift.
    package var scale, shift: [Float]
  }

  /// What this import reads and writes.
  package let summary: Summary
  private let path: String
  private let source: any LatentSource
  private let classes: Int
  private let conversion: SampleConversion
  private let output: ImportOutput

  /// Opens a source and checks everything that can be checked without reading all samples.
  package init(_ source: String, to out: String, _ options: Options) throws {
    path = source.count > 1 && source.hasSuffix("/") ? String(source.dropLast()) : source
    try Self.check(path, out)
    let layout = try options.layout ?? ImportLayout.detect(path)
    let latents = try options.open(path, as: layout)
    self.source = latents
    classes = options.classes
    let secondHalf = try SecondHalf.resolve(options.secondHalf, layout, latents, of: path)
    conversion = SampleConversion(secondHalf: secondHalf, isHalf: options.isHalf)
    let properties = try options.properties(path, layout, channels: latents.shape.channels)
    summary = Summary(layout, latents, properties)
    let recipe = [
      URL(fileURLWithPath: path).path, "\(layout) \(latents.count) \(latents.shape)", "\(properties)", "\(options)",
      "\(String(describing: secondHalf))", latents.contents,
    ]
    output = ImportOutput(
      out, samples: latents.count, latents.shape, isHalf: options.isHalf, properties, source: "\(layout) \(path)",
      recipe: SHA256.hash(data: Data(recipe.joined(separator: " ").utf8)).description)
  }

  private static func check(_ path: String, _ out: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw FileError.unusable(path: path, problem: "does not exist")
    }
    try Pickle.refuse(path)
    guard !FileManager.default.fileExists(atPath: out) else {
      throw FileError.unusable(path: out, problem: "already exists; remove it, or name another file")
    }
  }

  /// Imports the samples that are still missing. All ranks call it.
  ///
  /// - Parameters:
  ///   - stopRequested: called after each round; if it returns true at any rank, the import stops and keeps what it has
  ///   - report: called with the number of finished samples and the number of all samples
  ///   - note: called at rank zero with something worth a line
  /// - Returns: whether all samples are there
  package func run(
    _ communicator: Communicator, _ workers: Workers, stopRequested: () -> Bool, report: (Int, Int) -> Void,
    note: (String) -> Void = { _ in }
  ) throws -> Bool {
    let lock = try communicator.agree { communicator.rank == 0 ? try output.lock() : nil }
    defer { withExtendedLifetime(lock) {} }
    if let warning = lock?.warning { note(warning) }
    do {
      try communicator.agree { if communicator.rank == 0 { try prepare(workers, note) } }
      let isDone = try importPieces(communicator, workers, stopRequested, report)
      try communicator.agree { if isDone, communicator.rank == 0 { try output.finish() } }
      return isDone
    } catch {
      // Whatever the reason, finished pieces stay right as long as their source stays as it is.
      guard communicator.rank == 0, !(error is CommunicationError) else { throw error }
      if output.hasFinishedPieces {
        note("what is imported so far is kept; the same command continues the import")
      } else {
        output.remove()
      }
      throw error
    }
  }

  private func prepare(_ workers: Workers, _ note: (String) -> Void) throws {
    let changed = try output.prepare { mark($0, workers) }
    if changed > 0 {
      note("\(changed) of \(output.pieces) pieces are imported again: files that they were made from have changed")
    }
  }

  private func mark(_ piece: Int, _ workers: Workers) -> ImportProgress.Mark {
    ImportProgress.Mark(output.samples(ofPiece: piece), of: source, workers)
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
    // Before the files are read, so that a later change shows.
    let mark = mark(index, workers)
    let piece = ImportPiece(samples.count, source.shape, isHalf: conversion.isHalf)
    let failures = FirstFailure()
    workers.run(tasks: samples.count) { [self] _, i in
      if failures.isBefore(i) { return }
      do { try importSample(samples.lowerBound + i, at: i, into: piece) } catch { failures.note(i, error) }
    }
    try failures.rethrow()
    try file.write(piece, index, mark)
  }

  private func importSample(_ index: Int, at place: Int, into piece: ImportPiece) throws {
    try naming(sample: source.name(index), in: path) {
      let elements = source.shape.elements
      try withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * elements) { memory in
        let values = UnsafeMutableBufferPointer(rebasing: memory[..<elements])
        let flipped = UnsafeMutableBufferPointer(rebasing: memory[elements...])
        let label = try source.read(index, into: values, flipped: source.shape.hasFlipped ? flipped : nil)
        guard (0..<classes).contains(label) else {
          throw UnfitSample("label \(label), expected 0 to \(classes - 1)", ImportRemedy.raiseClasses)
        }
        piece.labels[place] = Int64(label)
        try conversion.store(values, piece.values, place)
        if let target = piece.flipped { try conversion.store(flipped, target, place) }
      }
    }
  }
}

extension LatentImport.Summary {
  fileprivate init(_ layout: ImportLayout, _ source: any LatentSource, _ properties: LatentProperties) {
    self.init(
      layout: layout.name, samples: source.count, channels: source.shape.channels, side: source.shape.side,
      hasMoments: source.shape.hasMoments, hasFlipped: source.shape.hasFlipped, scale: properties.scale,
      shift: properties.shift)
  }
}

import Crypto
import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import Synchronization

/// An import of latents from another project's layout into one file to train on.
///
/// All ranks read, check and write the samples piece by piece, so that memory does not depend on the number of samples.
/// An import that was interrupted continues where it stopped.
package struct LatentImport: Sendable {
  /// What an import reads and writes.
  package struct Summary: Sendable, Encodable {
    /// The layout's name.
    package var layout: String
    /// `latents` or `pixels`.
    package var kind: String
    /// The number of samples, and the extents of a latent.
    package var samples, channels, side: Int
    /// The number of samples of the source that cannot be used and are left out.
    package var leftOut = 0
    /// Whether the data set holds moments, and latents of mirrored images.
    package var hasMoments, hasFlipped: Bool
    /// The data sets of what teachers say.
    package var teachers: [String]
    /// The model sees stored · scale + shift.
    package var scale, shift: [Float]
  }

  private let summary: Summary
  private let path: String
  private let source: any LatentSource
  private let skipsBroken: Bool
  private let reader: PieceReader
  private let sets: [ImportedSet]
  private let notes: [String]
  private let output: ImportOutput

  /// Opens a source and checks everything that can be checked without reading all samples.
  package init(_ source: String, to out: String, _ options: Options) throws {
    let given = source.count > 1 && source.hasSuffix("/") ? String(source.dropLast()) : source
    try Self.check(given, out)
    let (layout, path) = try ImportLayout.locate(given, options.layout)
    self.path = path
    let latents = try options.open(path, as: layout)
    self.source = latents
    skipsBroken = options.skipsBroken
    let signs = try SecondHalfSigns(latents, of: path)
    let secondHalf = try SecondHalf.resolve(options.secondHalf, layout, latents, signs, of: path)
    let encoded = try options.encoder?.shape(of: latents.shape, flips: options.images.flips, in: path)
    let stored = encoded ?? latents.shape
    let conversion = SampleConversion(
      secondHalf: encoded == nil ? secondHalf : .std, isSure: options.secondHalf != nil || signs.areDeviations,
      isHalf: options.isHalf)
    let properties = try options.properties(path, layout, channels: stored.channels)
    let teachers = try options.loadTeachers(latents.pictures?.shape ?? latents.shape, of: path)
    let taught = teachers.flatMap(\.sets)
    reader = PieceReader(
      path: path, source: latents, conversion: conversion, classes: options.classes,
      encoder: options.encoder?.encoder, teachers: teachers, stored: stored, isMirrored: options.images.flips)
    sets = stored.sets(isHalf: options.isHalf) + taught
    notes = latents.notes + [secondHalf == .logVariance ? signs.warning : nil].compactMap(\.self)
    summary = Summary(layout, latents.count, stored, properties, teachers: taught.map(\.name))
    var options = options
    // The properties name it, and the data sets name the teachers.
    (options.encoder, options.teachers) = (nil, [])
    // An import that found a broken sample goes on with or without it.
    options.skipsBroken = false
    let recipe =
      [
        URL(fileURLWithPath: path).path, "\(layout) \(latents.count) \(stored)", "\(properties)", "\(options)",
        "\(String(describing: secondHalf))", latents.contents,
      ] + taught.map(\.recipe)
    output = ImportOutput(
      out, samples: latents.count, sets, properties, source: "\(layout) \(path)", classNames: latents.classNames,
      pieceSamples: Self.pieceSamples(stored, sets, isSlow: reader.isSlow),
      recipe: SHA256.hash(data: Data(recipe.joined(separator: " ").utf8)).description)
  }

  /// Samples of a piece: 16 MiB of latents; where networks look at them at most 64, which keep many workers busy for
  /// seconds and few for minutes, and 256 MiB with what teachers say.
  private static func pieceSamples(_ stored: SourceShape, _ sets: [ImportedSet], isSlow: Bool) -> Int {
    let own = max(1, 16 << 20 / (stored.elements * 4 * (stored.hasFlipped ? 2 : 1)))
    return isSlow ? min(own, 64, max(1, 256 << 20 / max(1, sets.reduce(0) { $0 + $1.bytes }))) : own
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
  /// - Returns: what the data set holds, or nil if the import stopped before all samples were there
  package func run(
    _ communicator: Communicator, _ workers: Workers, stopRequested: () -> Bool, report: (Int, Int) -> Void,
    note: (String) -> Void = { _ in }
  ) throws -> Summary? {
    func tell(_ line: String) { if communicator.rank == 0 { note(line) } }
    let lock = try communicator.agree { communicator.rank == 0 ? try output.lock() : nil }
    defer { withExtendedLifetime(lock) {} }
    for line in [lock?.warning].compactMap(\.self) + notes { tell(line) }
    do {
      try communicator.agree { if communicator.rank == 0 { try prepare(workers, tell) } }
      guard try importPieces(communicator, workers, stopRequested, report, tell) else { return nil }
      return try finish(communicator, tell)
    } catch {
      // Whatever the reason, finished pieces stay right as long as their source stays as it is.
      guard communicator.rank == 0, !(error is CommunicationError) else { throw error }
      if output.hasFinishedPieces {
        tell("what is imported so far is kept; the same command continues the import")
      } else {
        output.remove()
      }
      throw error
    }
  }

  private func prepare(_ workers: Workers, _ note: (String) -> Void) throws {
    let changed = try output.prepare(keepsGaps: skipsBroken) { mark($0, workers) }
    if changed > 0 {
      note("\(changed) of \(output.pieces) pieces are imported again: files that they were made from have changed")
    }
  }

  private func finish(_ communicator: Communicator, _ note: (String) -> Void) throws -> Summary {
    let gaps = try communicator.agree { communicator.rank == 0 ? try output.finish() : [] }
    if !gaps.isEmpty {
      let names = gaps.prefix(SampleFindings.mostNamed).map(source.name).joined(separator: ", ")
      let more = gaps.count > SampleFindings.mostNamed ? " and \(gaps.count - SampleFindings.mostNamed) more" : ""
      note("left out \(gaps.count) of \(source.count) samples, which cannot be used: \(names)\(more)")
    }
    var summary = summary
    summary.leftOut = Int(try communicator.broadcast([Double(gaps.count)])[0])
    summary.samples -= summary.leftOut
    return summary
  }

  private func mark(_ piece: Int, _ workers: Workers) -> ImportProgress.Mark {
    ImportProgress.Mark(output.samples(ofPiece: piece), of: source, workers)
  }

  private func importPieces(
    _ communicator: Communicator, _ workers: Workers, _ stopRequested: () -> Bool, _ report: (Int, Int) -> Void,
    _ note: (String) -> Void
  ) throws -> Bool {
    let file = try communicator.agree { try output.open() }
    let missing = file.missingPieces
    var done = (0..<output.pieces).filter { !missing.contains($0) }.reduce(0) { $0 + output.samples(ofPiece: $1).count }
    let isFresh = done == 0
    var findings = SampleFindings()
    defer { findings.noteZeros(source.name, note) }
    report(done, source.count)
    for round in stride(from: 0, to: missing.count, by: communicator.size) {
      let pieces = missing[round..<min(round + communicator.size, missing.count)]
      let samples = pieces.reduce(0) { $0 + output.samples(ofPiece: $1).count }
      let found = try importRound(pieces, file, communicator, workers) { share in
        report(done + Int(share * Double(samples)), source.count)
        return !stopRequested()
      }
      let isCut = try communicator.anyRank(found == nil)
      try findings.add(found ?? SampleFindings(), of: communicator)
      findings.tell(atOnce: skipsBroken, note)
      let isEnough = findings.tried >= Self.samplesToTry || findings.tried == source.count
      if isFresh, isEnough, findings.broken == findings.tried { try refuseAll(findings, communicator) }
      if !isCut { done += samples }
      report(done, source.count)
      if try isCut || communicator.anyRank(stopRequested()) && round + communicator.size < missing.count {
        findings.tell(atOnce: true, note)
        return false
      }
    }
    if !skipsBroken, findings.broken > 0 {
      try communicator.agree { if communicator.rank == 0 { throw error(findings) } }
    }
    return true
  }

  /// Imports a piece at each rank, as far as there are pieces.
  ///
  /// - Parameter goOn: called now and then with the finished share of the piece; false stops it
  /// - Returns: what is odd about the samples of this rank; nil if it was stopped
  private func importRound(
    _ pieces: ArraySlice<Int>, _ file: ImportOutput.Opened, _ communicator: Communicator, _ workers: Workers,
    goOn: (_ share: Double) -> Bool
  ) throws -> SampleFindings? {
    try communicator.agree {
      guard let own = pieces.dropFirst(communicator.rank).first else { return SampleFindings() }
      let count = Double(output.samples(ofPiece: own).count)
      return try importPiece(own, file, workers) { goOn(Double($0) / count) }
    }
  }

  /// An import ends where none of so many samples can be used.
  private static let samplesToTry = 1000

  /// Ends an import that has found no sample that can be used.
  private func refuseAll(_ findings: SampleFindings, _ communicator: Communicator) throws {
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      output.remove()
      guard findings.broken > 1 else { throw FileError.unusable(path: path, problem: findings.problems[0]) }
      throw FileError.unusable(path: path, problem: "none of the first \(findings.tried) samples can be used")
    }
  }

  /// Returns the error of an import that must not leave out samples.
  private func error(_ findings: SampleFindings) -> FileError {
    let told = min(findings.broken, SampleFindings.mostTold)
    let problem =
      findings.broken == 1
      ? findings.problems[0]
      : "\(findings.broken) of \(findings.tried) samples cannot be used"
        + (told < findings.broken ? ", of which the first \(told) are named" : "")
    return .unusable(path: path, problem: problem, remedy: ImportRemedy.skipBroken)
  }

  /// Imports the samples of a piece. A piece with samples that cannot be used is only written if it may lack them.
  ///
  /// - Returns: nil if it was stopped; then the piece stays missing
  private func importPiece(
    _ index: Int, _ file: ImportOutput.Opened, _ workers: Workers, goOn: (_ finished: Int) -> Bool
  ) throws -> SampleFindings? {
    let samples = output.samples(ofPiece: index)
    // Before the files are read, so that a later change shows.
    let mark = mark(index, workers)
    let piece = ImportPiece(samples.count, sets)
    guard let findings = try reader.fill(piece, with: samples, workers, goOn: goOn) else { return nil }
    if findings.broken == 0 || skipsBroken { try file.write(piece, index, mark) }
    return findings
  }
}

extension LatentImport.Summary {
  fileprivate init(
    _ layout: ImportLayout, _ count: Int, _ stored: SourceShape, _ properties: LatentProperties, teachers: [String]
  ) {
    self.init(
      layout: layout.name, kind: properties.kind, samples: count, channels: stored.channels, side: stored.side,
      hasMoments: stored.hasMoments, hasFlipped: stored.hasFlipped, teachers: teachers, scale: properties.scale,
      shift: properties.shift)
  }
}

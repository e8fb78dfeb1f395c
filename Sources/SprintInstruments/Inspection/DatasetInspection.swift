import Foundation
import SprintData
import SprintFormats
import SprintKernels
import SprintTraining

/// The contents of a data set, with a warning about whatever is suspicious.
package struct DatasetInspection: Encodable {
  let samples, channels, side: Int
  let kind, vae, source: String
  let otherFiles, unread, features, classTokens, attention, classNames: [String]
  let flippedFeatures, flippedClassTokens, flippedAttention: [String]
  let hasLabels, hasMoments, hasFlipped: Bool
  let classes, firstLabel, lastLabel, smallestClass, largestClass: Int
  let scale, shift: [Float]
  let seenByModel: [DatasetSurvey.Channel]
  let warnings: [String]

  private static let mostSamples = 4096

  /// Reads all labels, and some thousand samples spread over the set.
  package init(path: String) throws {
    let dataset = try LatentDataset(paths: [path])
    (samples, channels, side) = (dataset.count, dataset.channels, dataset.side)
    (kind, vae, source) = (dataset.properties.kind, dataset.properties.vae, dataset.source)
    (otherFiles, unread) = (try dataset.otherFiles, dataset.unread)
    let file = try HDF5File(reading: path, followsOtherFiles: true)
    (features, classTokens, attention) = try Self.teachers(file, mirrored: false)
    (flippedFeatures, flippedClassTokens, flippedAttention) = try Self.teachers(file, mirrored: true)
    classNames = file.has(LatentDataset.classNames) ? try file.texts(dataset: LatentDataset.classNames) : []
    (hasLabels, hasMoments, hasFlipped) = (dataset.hasLabels, dataset.hasMoments, dataset.hasFlipped)
    (scale, shift) = (dataset.properties.scale, dataset.properties.shift)
    let labels = LabelSurvey(dataset)
    (classes, firstLabel, lastLabel) = (labels.classes, labels.first, labels.last)
    (smallestClass, largestClass) = (labels.smallest, labels.largest)
    let survey = try DatasetSurvey(dataset, most: Self.mostSamples)
    seenByModel = survey.channels
    warnings = survey.problems + survey.warnings + labels.warnings
  }

  private var isOfPixels: Bool { kind == "pixels" }

  private var stored: String {
    hasMoments ? "moments, drawn anew each time" : isOfPixels ? "pixels" : "drawn latents"
  }

  /// The names of the teachers whose features, class tokens and attention a file holds.
  private static func teachers(
    _ file: HDF5File, mirrored: Bool
  ) throws -> (features: [String], classTokens: [String], attention: [String]) {
    func names(_ group: TeacherGroup) throws -> [String] { try file.names(in: group.path(mirrored: mirrored)) }
    return (try names(.features), try names(.classTokens), try names(.attention) + names(.keys))
  }

  /// A line for everything that is stored of teachers.
  private var teacherLines: [String] {
    [
      ("features", features, flippedFeatures), ("class tokens", classTokens, flippedClassTokens),
      ("attention", attention, flippedAttention),
    ].filter { !$0.1.isEmpty }.map { what, names, flipped in
      "  \(what) of "
        + names.map { $0 + (flipped.contains($0) ? " (mirrored images too)" : "") }.joined(separator: ", ")
    }
  }

  private static let mostClassNames = 10

  private var classNamesLine: String {
    let more = classNames.count - Self.mostClassNames
    return "  named \(classNames.prefix(Self.mostClassNames).joined(separator: ", "))"
      + (more > 0 ? " and \(more) more" : "")
  }

  /// The inspection as text.
  var lines: [String] {
    let from = [source, ["", "none"].contains(vae) ? "" : "autoencoder \(vae)"].filter { !$0.isEmpty }
    return [
      "data set of \(samples) \(isOfPixels ? "images" : "latents"), \(channels) x \(side) x \(side)",
      "  \(stored)\(hasFlipped ? ", mirrored images too" : "")",
      hasLabels
        ? "  \(classes) classes, labels \(firstLabel) to \(lastLabel), \(smallestClass) to \(largestClass) images each"
        : "  no labels: for `model.classes: 0`",
      classNames.isEmpty ? nil : classNamesLine,
      "  scale \(Self.text(scale)), shift \(Self.text(shift))",
    ].compactMap(\.self) + (from.isEmpty ? [] : ["  from \(from.joined(separator: ", "))"])
      + (otherFiles.isEmpty ? [] : ["  numbers lie in other files: \(otherFiles.joined(separator: ", "))"])
      + (unread.isEmpty ? [] : ["  not read: \(unread.joined(separator: ", "))"])
      + teacherLines + channelLines + warnings.map { "warning: \($0)" }
  }

  /// One number a channel, or the number of all channels.
  private static func text(_ values: [Float]) -> String {
    let texts = Set(values).count > 1 ? values.map { "\($0)" } : ["\(values.first ?? 0)"]
    return texts.prefix(mostChannels).joined(separator: " ") + (texts.count > mostChannels ? " ..." : "")
  }

  /// Above this number of channels, one line gives the ranges over all of them instead of a line for each.
  private static let mostChannels = 8

  private var channelLines: [String] {
    guard seenByModel.count > Self.mostChannels else {
      return seenByModel.enumerated().map {
        String(format: "  channel %d as the model sees it: mean %.3f, deviation %.3f", $0, $1.mean, $1.deviation)
      }
    }
    func range(_ values: [Double]) -> String {
      String(format: "%.3f to %.3f", values.min() ?? 0, values.max() ?? 0)
    }
    return [
      "  \(seenByModel.count) channels as the model sees them: means \(range(seenByModel.map(\.mean))), "
        + "deviations \(range(seenByModel.map(\.deviation)))"
    ]
  }

  /// Writes a grid of samples as the model sees them, one row for each of the first ten classes; returns a note on its
  /// colours, unless they are the images' own.
  package static func writePreview(of path: String, to out: String) throws -> String? {
    let dataset = try LatentDataset(paths: [path])
    var rows: [Int: [Int]] = [:]
    for index in 0..<dataset.count { rows[dataset.label(index), default: []].append(index) }
    let chosen = rows.keys.sorted().prefix(10).flatMap { rows[$0, default: []].prefix(8) }
    let arena = Arena(count: dataset.latentElements)
    let samples = try chosen.map { index in
      try dataset.latent(index, random: LatentRandomness(seed: 0), draw: UInt64(index), into: arena.elements)
      return Array(arena.elements.buffer)
    }
    let grid = SampleGrid(channels: dataset.channels, side: dataset.side, dataset.properties)
    try grid.picture(samples, labels: chosen.map(dataset.label)).writePNG(to: out)
    return grid.caption
  }
}

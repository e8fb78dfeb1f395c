import Foundation
import SprintData
import SprintFormats
import SprintKernels
import SprintTraining

/// The contents of a data set, with a warning if the model would see numbers of an odd size or mean.
package struct DatasetInspection: Encodable {
  /// Mean and deviation of one channel as the model sees it.
  package struct Channel: Encodable {
    let mean, deviation: Double
  }

  let samples, channels, side: Int
  let kind, vae, source: String
  let otherFiles: [String]
  let hasMoments, hasFlipped: Bool
  let classes, firstLabel, lastLabel, smallestClass, largestClass: Int
  let seenByModel: [Channel]
  let warnings: [String]

  private static let mostSamples = 4096

  /// Reads all labels, and some thousand samples spread over the set.
  package init(path: String) throws {
    let dataset = try LatentDataset(paths: [path])
    (samples, channels, side) = (dataset.count, dataset.channels, dataset.side)
    (kind, vae, source) = (dataset.properties.kind, dataset.properties.vae, dataset.source)
    otherFiles = try dataset.otherFiles
    (hasMoments, hasFlipped) = (dataset.hasMoments, dataset.hasFlipped)
    var counts: [Int: Int] = [:]
    for index in 0..<dataset.count { counts[dataset.label(index), default: 0] += 1 }
    (classes, firstLabel, lastLabel) = (counts.count, counts.keys.min() ?? 0, counts.keys.max() ?? 0)
    (smallestClass, largestClass) = (counts.values.min() ?? 0, counts.values.max() ?? 0)
    seenByModel = try Self.channels(dataset)
    warnings = seenByModel.enumerated().compactMap { index, channel in
      abs(channel.mean) <= 1 && (0.4...2.5).contains(channel.deviation)
        ? nil
        : String(
          format:
            "channel %d: the model would see mean %.2f and deviation %.2f, expected about 0 and 1; "
            + "check scale and shift",
          index, channel.mean, channel.deviation)
    }
  }

  private static func channels(_ dataset: LatentDataset) throws -> [Channel] {
    let arena = Arena(count: dataset.latentElements)
    let plane = dataset.side * dataset.side
    var sums = [(Double, Double)](repeating: (0, 0), count: dataset.channels)
    var seen = 0.0
    for index in stride(from: 0, to: dataset.count, by: max(1, dataset.count / mostSamples)) {
      try dataset.latent(index, random: LatentRandomness(seed: 0), draw: UInt64(index), into: arena.elements)
      for i in 0..<dataset.latentElements {
        let value = Double(arena.elements[i])
        sums[i / plane] = (sums[i / plane].0 + value, sums[i / plane].1 + value * value)
      }
      seen += Double(plane)
    }
    return sums.map { sum in
      let mean = sum.0 / seen
      return Channel(mean: mean, deviation: max(0, sum.1 / seen - mean * mean).squareRoot())
    }
  }

  /// The inspection as text.
  var lines: [String] {
    let from = [source, ["", "none"].contains(vae) ? "" : "autoencoder \(vae)"].filter { !$0.isEmpty }
    return [
      "data set of \(samples) \(kind), \(channels) x \(side) x \(side)",
      "  \(hasMoments ? "moments, drawn anew each time" : "drawn latents")\(hasFlipped ? ", mirrored images too" : "")",
      "  \(classes) classes, labels \(firstLabel) to \(lastLabel), \(smallestClass) to \(largestClass) images each",
    ] + (from.isEmpty ? [] : ["  from \(from.joined(separator: ", "))"])
      + (otherFiles.isEmpty ? [] : ["  numbers lie in other files: \(otherFiles.joined(separator: ", "))"])
      + seenByModel.enumerated().map {
        String(format: "  channel %d as the model sees it: mean %.3f, deviation %.3f", $0, $1.mean, $1.deviation)
      } + warnings.map { "warning: \($0)" }
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

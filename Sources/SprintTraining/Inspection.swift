import Foundation
import SprintData
import SprintFormats
import SprintKernels
import SprintModel

/// What a file holds, in a few lines: a data set, a checkpoint, or a safetensors file.
public struct Inspection {
  /// The lines.
  public let lines: [String]

  /// Looks into a file; a checkpoint's fingerprint is verified.
  public init(path: String) throws {
    if path.hasSuffix(".safetensors") {
      lines = try Self.safetensors(path)
    } else if try HDF5File(reading: path).has("/model") {
      lines = try Self.checkpoint(path)
    } else {
      lines = try Self.dataset(path)
    }
  }

  private static func safetensors(_ path: String) throws -> [String] {
    let file = try SafetensorsFile(path: path)
    let elements = file.entries.values.reduce(0) { $0 + $1.shape.reduce(1, *) }
    return ["safetensors, \(file.entries.count) tensors, \(elements) elements"]
      + file.entries.sorted { $0.key < $1.key }.map { "  \($0.key) \($0.value.type) \($0.value.shape)" }
  }

  private static func checkpoint(_ path: String) throws -> [String] {
    let checkpoint = try Checkpoint(path: path)
    let configuration = try checkpoint.configuration()
    let (position, model) = (checkpoint.position, configuration.model)
    return [
      "checkpoint, whole: size and SHA-256 are those of its manifest",
      "  step \(position.step) of \(configuration.totalSteps), stage \(position.stage + 1) of \(configuration.stages.count) "
        + "(`\(configuration.stages[position.stage].name)`), \(position.stageStep) of \(configuration.stages[position.stage].steps) updates",
      "  \(ParameterLayout(model).count) weights: width \(model.width), \(model.heads) heads, "
        + "\(model.encoderDepth) + \(model.middleDepth) + \(model.decoderDepth) blocks, patch \(model.patch)",
      "  latents of \(model.channels) x \(model.side) x \(model.side), \(model.classes) classes, seed \(configuration.seed)",
    ]
  }

  private static func dataset(_ path: String) throws -> [String] {
    let dataset = try LatentDataset(paths: [path])
    var counts: [Int: Int] = [:]
    for index in 0..<dataset.count { counts[dataset.label(index), default: 0] += 1 }
    let smallest = counts.values.min() ?? 0
    let largest = counts.values.max() ?? 0
    return [
      "data set of \(dataset.count) \(dataset.properties.kind), \(dataset.channels) x \(dataset.side) x \(dataset.side)",
      "  \(counts.count) classes, labels \(counts.keys.min() ?? 0) to \(counts.keys.max() ?? 0), \(smallest) to \(largest) images each",
    ] + (try channelStatistics(dataset))
  }

  /// Mean and deviation of each channel as the model sees it, over at most 4096 samples spread over the set.
  private static func channelStatistics(_ dataset: LatentDataset) throws -> [String] {
    let arena = Arena(count: dataset.latentElements)
    let plane = dataset.side * dataset.side
    let chosen = stride(from: 0, to: dataset.count, by: max(1, dataset.count / 4096))
    var sums = [(Double, Double)](repeating: (0, 0), count: dataset.channels)
    var seen = 0.0
    for index in chosen {
      try dataset.latent(index, random: LatentRandomness(seed: 0), draw: UInt64(index), into: arena.elements)
      for i in 0..<dataset.latentElements {
        let value = Double(arena.elements[i])
        sums[i / plane] = (sums[i / plane].0 + value, sums[i / plane].1 + value * value)
      }
      seen += Double(plane)
    }
    return sums.enumerated().map { channel, sum in
      let mean = sum.0 / seen
      return String(
        format: "  channel %d: mean %.3f, deviation %.3f", channel, mean,
        max(0, sum.1 / seen - mean * mean).squareRoot())
    }
  }
}

import Foundation

extension DatasetSurvey {
  /// What no model can be trained on, one sentence each.
  package var problems: [String] {
    [(faults, "samples"), (flippedFaults, "mirrored samples")].flatMap { faults, samples in
      [
        warning(faults.nonFinite, samples) { "hold numbers that are not finite: sample \($0) holds \($1)" },
        warning(faults.negative, samples) {
          "cannot be drawn: sample \($0) has \(LatentDataset.negativeDeviation($1))"
        },
      ].compactMap(\.self)
    }
  }

  /// What is suspicious, one sentence each.
  package var warnings: [String] {
    let constant = [(faults, "samples"), (flippedFaults, "mirrored samples")].map { faults, samples in
      warning(faults.constant, samples) {
        "are one number throughout: sample \($0) is all \($1); were they ever written?"
      }
    }
    return (constant + [channelWarning, flipWarning]).compactMap(\.self)
  }

  private func warning(
    _ fault: SampleFaults.Fault, _ samples: String, _ text: (_ index: Int, _ value: Float) -> String
  ) -> String? {
    fault.first.map { "\(fault.count) of \(looked) \(samples) \(text($0.index, $0.value))" }
  }

  /// Bounds of a channel's mean and deviation, far from what any published autoencoder gives with its scale.
  private static func isOdd(_ channel: Channel) -> Bool {
    abs(channel.mean) > 1 || !(0.4...2.5).contains(channel.deviation)
  }

  private var channelWarning: String? {
    let odd = channels.indices.filter { Self.isOdd(channels[$0]) }
    guard let first = odd.first else { return nil }
    let others = odd.count > 1 ? " (and \(odd.count - 1) more)" : ""
    return String(
      format: "channel %d%@: the model would see mean %.2f and deviation %.2f, expected about 0 and 1; "
        + "check the attributes scale and shift", first, others, channels[first].mean, channels[first].deviation)
      + (unread.isEmpty ? "" : "; sprint does not read \(unread.joined(separator: ", "))")
  }

  /// Mirrored images have the same numbers in other places, so their deviations are nearly the same.
  private var flipWarning: String? {
    for (channel, (own, flipped)) in zip(channels, flippedChannels).enumerated()
    where !(own.deviation / 1.5...own.deviation * 1.5).contains(flipped.deviation) {
      return String(
        format: "channel %d: the mirrored samples have deviation %.2f, the others %.2f; are both scaled alike?",
        channel, flipped.deviation, own.deviation)
    }
    return nil
  }
}

import Foundation

extension DatasetSurvey {
  /// What no model can be trained on, one sentence each.
  package var problems: [String] {
    [
      warning(faults.nonFinite) { "hold numbers that are not finite: sample \($0) holds \($1)" },
      warning(faults.negative) { "cannot be drawn: sample \($0) has \(LatentDataset.negativeDeviation($1))" },
    ].compactMap(\.self)
  }

  /// What is suspicious, one sentence each.
  package var warnings: [String] {
    [
      warning(faults.constant) { "are one number throughout: sample \($0) is all \($1); were they ever written?" },
      channelWarning,
    ].compactMap(\.self)
  }

  private func warning(_ fault: SampleFaults.Fault, _ text: (_ index: Int, _ value: Float) -> String) -> String? {
    fault.first.map { "\(fault.count) of \(looked) samples \(text($0.index, $0.value))" }
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
      + (otherAttributes.isEmpty ? "" : "; sprint does not read \(otherAttributes.joined(separator: ", "))")
  }
}

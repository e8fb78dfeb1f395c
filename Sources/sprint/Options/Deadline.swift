import ArgumentParser
import Foundation

/// The moment when a run has to be over.
struct Deadline: ExpressibleByArgument {
  let date: Date

  init?(argument: String) {
    if let moment = ISO8601DateFormatter().date(from: argument) {
      date = moment
    } else if let seconds = Self.seconds(argument), seconds > 0 {
      date = Date(timeIntervalSinceNow: seconds)
    } else {
      return nil
    }
  }

  /// The end of the Slurm job that this process belongs to, or nil if Slurm does not say.
  static var ofSlurmJob: Date? {
    ProcessInfo.processInfo.environment["SLURM_JOB_END_TIME"].flatMap(Double.init).map(
      Date.init(timeIntervalSince1970:))
  }

  /// Returns the seconds of `2h30m`, `90m`, `45s` or plain seconds.
  private static func seconds(_ text: String) -> Double? {
    if let plain = Double(text) { return plain.isFinite ? plain : nil }
    var (total, digits) = (0.0, "")
    for character in text {
      if let unit = ["d": 86400.0, "h": 3600, "m": 60, "s": 1][character] {
        guard let number = Double(digits) else { return nil }
        (total, digits) = (total + number * unit, "")
      } else {
        digits.append(character)
      }
    }
    return digits.isEmpty ? total : nil
  }
}

import ArgumentParser
import Foundation

/// The moment when a run has to be over, on a clock that nobody sets.
struct Deadline: ExpressibleByArgument {
  let moment: ContinuousClock.Instant

  /// Thirty years are as good as more, which a clock may not be able to count.
  private init(secondsFromNow seconds: Double) { moment = .now + .seconds(min(max(seconds, -1e9), 1e9)) }

  init?(argument: String) {
    if let moment = ISO8601DateFormatter().date(from: argument) {
      self.init(secondsFromNow: moment.timeIntervalSinceNow)
    } else if let seconds = Self.seconds(argument), seconds > 0 {
      self.init(secondsFromNow: seconds)
    } else {
      return nil
    }
  }

  /// The end of the Slurm job that this process belongs to, or nil if Slurm does not say.
  static var ofSlurmJob: Deadline? {
    ProcessInfo.processInfo.environment["SLURM_JOB_END_TIME"].flatMap(Double.init).map {
      Deadline(secondsFromNow: Date(timeIntervalSince1970: $0).timeIntervalSinceNow)
    }
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

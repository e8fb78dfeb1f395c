import CInstructions
import Foundation

/// What the operating system tells of the CPU.
package enum CPU {
  /// Ends the process with a clear line and code 2 where the CPU lacks instructions that this program was built with, which would
  /// otherwise end it at the first of them. To be called first of all.
  package static func requireInstructions() {
    guard let missing = sprint_missing_instructions() else { return }
    // Nothing but system calls: anything larger may hold such an instruction itself.
    say("sprint: built for a CPU with ")
    say(missing)
    say(", which this one lacks; build it on this machine, or for older ones with SPRINT_MARCH=x86-64-v3\n")
    _exit(2)
  }

  private static func say(_ text: UnsafePointer<CChar>) { _ = write(STDERR_FILENO, text, strlen(text)) }

  /// The feature flags of /proc/cpuinfo, e.g. `avx512f`.
  package static let flags: Set<String> = Set(field("flags")?.split(separator: " ").map(String.init) ?? [])

  /// The marketing name of the CPU.
  package static let name: String = field("model name") ?? "unknown CPU"

  /// FLOP/s of one core that the width of its fused multiply-add units and its nominal clock allow, in single precision.
  ///
  /// Two units a core are assumed.
  package static let nominalPeak: Double = {
    let clock = (field("cpu MHz").flatMap(Double.init) ?? 1000) * 1e6
    let lanes = flags.contains("avx512f") && !splitsWideOperations ? 16.0 : flags.contains("avx2") ? 8 : 4
    return clock * lanes * 2 * 2
  }()

  /// Whether 512-bit operations are executed in two halves, as AMD's family 25 (Zen 3 and 4) does.
  package static let splitsWideOperations =
    field("vendor_id") == "AuthenticAMD" && (field("cpu family").flatMap(Int.init) ?? 0) <= 25

  private static func field(_ name: String) -> String? {
    description.split(separator: "\n").first { $0.hasPrefix(name) }
      .flatMap { $0.split(separator: ":", maxSplits: 1).last }
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static let description = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
}

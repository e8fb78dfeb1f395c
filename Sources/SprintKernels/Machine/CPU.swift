import CInstructions
import Foundation

/// The CPU, as the operating system describes it, and the instructions that this program was built for.
package enum CPU {
  /// The architecture that this program was built for, e.g. `native` or `x86-64-v3`.
  package static var builtFor: String { String(cString: sprint_architecture()) }

  /// The extensions of the instruction set that this program was built with, e.g. `avx2`.
  package static var builtWith: [String] {
    String(cString: sprint_extensions()).split(separator: " ").map(String.init)
  }

  /// Ends the process with one line and exit code 2 if the CPU lacks instructions that this program was built with.
  /// Without this check the first of them would end it with SIGILL, so call it before anything else.
  package static func requireInstructions() {
    guard let missing = sprint_missing_instructions() else { return }
    // Only system calls: anything larger may itself hold such an instruction.
    say("sprint: built for a CPU with ")
    say(missing)
    say(", which this CPU lacks; build it on this machine, or for older ones with SPRINT_MARCH=x86-64-v3\n")
    _exit(2)
  }

  private static func say(_ text: UnsafePointer<CChar>) { _ = write(STDERR_FILENO, text, strlen(text)) }

  /// The feature flags of /proc/cpuinfo, e.g. `avx512f`.
  package static let flags: Set<String> = Set(field("flags")?.split(separator: " ").map(String.init) ?? [])

  /// The fastest extension with which this CPU multiplies bfloat16 numbers, or nil if it has none.
  package static var bfloat16Extension: String? { bfloat16Extension(flags: flags) }

  static func bfloat16Extension(flags: Set<String>) -> String? {
    ["amx_bf16", "avx512_bf16"].first(where: flags.contains)
  }

  /// The marketing name of the CPU.
  package static let name: String = field("model name") ?? "unknown CPU"

  /// Whether the CPU executes 512-bit operations in two halves, as AMD's family 25 (Zen 3 and 4) does.
  package static let splitsWideOperations =
    field("vendor_id") == "AuthenticAMD" && (field("cpu family").flatMap(Int.init) ?? 0) <= 25

  /// The first value of a field of /proc/cpuinfo.
  private static func field(_ name: String) -> String? {
    description.split(separator: "\n").first { $0.hasPrefix(name) }
      .flatMap { $0.split(separator: ":", maxSplits: 1).last }
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static let description = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
}

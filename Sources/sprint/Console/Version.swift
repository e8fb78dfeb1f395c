import SprintKernels

/// The version of sprint.
enum Version {
  static let number = "0.11.0"

  /// E.g. `sprint 0.11.0 (march x86-64-v3: sse4.2 avx avx2 fma bmi2)`.
  static var line: String {
    "sprint \(number) (march \(CPU.builtFor): \(CPU.builtWith.joined(separator: " ")))"
  }
}

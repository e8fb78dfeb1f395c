import SprintKernels

extension Precision {
  /// The precisions in which this CPU computes.
  package static let onThisCPU = allCases.filter { $0.obstacle() == nil }
  /// Whether this CPU computes in bfloat16; tests that need it are skipped elsewhere.
  package static let hasBFloat16 = onThisCPU.contains(.bfloat16)
}

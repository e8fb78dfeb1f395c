/// The number format of a pass over the network: of the operands of its products, and of what it keeps for the backward
/// pass.
package enum Precision: String, Sendable, CaseIterable, Codable {
  case float32, bfloat16

  /// Bytes of a number.
  package var bytes: Int {
    switch self {
    case .float32: MemoryLayout<Float>.stride
    case .bfloat16: MemoryLayout<BFloat16>.stride
    }
  }

  /// What computes products, and with which of the CPU's instructions.
  package var kernels: String {
    switch self {
    case .float32: "OpenBLAS core \(BLAS.core)\(OneDNN.isFastInFloat32 ? ", oneDNN for small weights" : "")"
    case .bfloat16 where OneDNN.usesAVX512: "oneDNN with \(CPU.bfloat16Extension ?? "avx512")"
    case .bfloat16: "OpenBLAS core \(BLAS.core) from float32 copies"
    }
  }

  /// One line for the user if another precision is faster on a CPU with these feature flags.
  package func notice(flags: Set<String> = CPU.flags) -> String? {
    guard self == .bfloat16, CPU.bfloat16Extension(flags: flags) == nil else { return nil }
    return "precision bfloat16: this CPU has no avx512_bf16, so that float32 is faster on it"
  }
}

import CMPI
import Foundation

/// OpenMPI's copies straight from the memory of another process of the host. A container without ptrace forbids them,
/// and OpenMPI prints a line for every message that it then sends in another way.
enum SingleCopy {
  private static let variable = "OMPI_MCA_btl_vader_single_copy_mechanism"

  /// Tells OpenMPI, before it starts, not to try what the system forbids. A choice of the user stays.
  static func avoidIfForbidden() {
    if !isAllowed { setenv(variable, "none", 0) }
  }

  private static var isAllowed: Bool {
    guard sprint_mpi_may_read(getpid()) else { return false }
    // Where Yama restricts ptrace, OpenMPI's processes permit it to each other, but not their launcher.
    let yama = try? String(contentsOfFile: "/proc/sys/kernel/yama/ptrace_scope", encoding: .utf8)
    return yama.map { !$0.hasPrefix("0") } ?? false || sprint_mpi_may_read(getppid())
  }
}

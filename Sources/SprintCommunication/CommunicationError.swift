/// Why ranks can no longer work together.
package enum CommunicationError: Error, CustomStringConvertible, Equatable {
  /// A call to MPI failed.
  case failed(call: String, problem: String)
  /// The launcher started several processes, but MPI sees one.
  case notConnected(launched: Int, launcher: String)
  /// This rank heard nothing from another rank for too long.
  case silent(rank: Int, host: String, seconds: Double)

  /// Whether a new start from the last checkpoint can help. A wrong launch fails in the same way again.
  package var canRestart: Bool {
    switch self {
    case .failed, .silent: true
    case .notConnected: false
    }
  }

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .failed(let call, let problem): "\(call) failed: \(problem)"
    case .notConnected(let launched, let launcher):
      "\(launcher) started \(launched) processes, but MPI sees only one of them; "
        + (launcher == "srun"
          ? "use srun --mpi=pmix, or, to run one process alone in the shell of a job, unset SLURM_STEP_NUM_TASKS first"
          : "use mpirun of the same OpenMPI that sprint was built with")
    case .silent(let rank, let host, let seconds):
      "rank \(rank) on \(host) was silent for \(Int(seconds.rounded())) s: it was stopped, it froze, or its link is cut"
    }
  }
}

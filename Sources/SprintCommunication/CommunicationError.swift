/// Why ranks cannot work together any longer. Whatever it is, the run can be started again from its last checkpoint.
package enum CommunicationError: Error, CustomStringConvertible, Equatable {
  /// A call to MPI failed.
  case failed(call: String, problem: String)
  /// The launcher started several processes, but MPI sees one.
  case notConnected(launched: Int, launcher: String)
  /// A rank was not heard of for too long.
  case silent(rank: Int, host: String, seconds: Double)

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .failed(let call, let problem): "\(call) failed: \(problem); start the run again with --resume auto"
    case .notConnected(let launched, let launcher):
      "\(launcher) started \(launched) processes, but MPI sees only one of them; with Slurm use srun --mpi=pmix, else "
        + "mpirun of the same OpenMPI that sprint was built with"
    case .silent(let rank, let host, let seconds):
      "rank \(rank) on \(host) was silent for \(Int(seconds.rounded())) s: stopped, frozen, or its link is cut; "
        + "ending, start the run again with --resume auto"
    }
  }
}

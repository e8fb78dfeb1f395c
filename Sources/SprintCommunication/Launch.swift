import Foundation

/// How the process was started: by a launcher of MPI, and as which of its processes. Read from the environment alone.
package struct Launch: Sendable, Equatable {
  /// What started it.
  package let launcher: String
  /// Processes of the job; 0 where the launcher does not say.
  package let size: Int
  /// Which of them this is.
  package let rank: Int
  /// Processes of the job on this host.
  package let localSize: Int

  /// This process's launch, or nil where it was started by itself.
  package static let current = Launch(environment: ProcessInfo.processInfo.environment)

  /// Threads for each process where nothing else is said: one a core that it may run on; where all processes of a host may run on all
  /// its cores, each takes its part of them.
  package static var threadsPerRank: Int {
    let (allowed, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
    return allowed < all ? allowed : max(1, all / (current?.localSize ?? 1))
  }

  package init?(environment: [String: String]) {
    func number(_ names: String...) -> Int? { names.compactMap { environment[$0].flatMap { Int($0) } }.first }
    if let size = number("OMPI_COMM_WORLD_SIZE") {
      launcher = "mpirun"
      self.size = size
      rank = number("OMPI_COMM_WORLD_RANK") ?? 0
      localSize = number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1
    } else if let size = number("SLURM_STEP_NUM_TASKS"), environment["SLURM_PROCID"] != nil,
      // A batch script is a step of one task itself.
      size > 1 || environment["PMIX_RANK"] != nil
    {
      launcher = "srun"
      self.size = size
      rank = number("PMIX_RANK", "SLURM_PROCID") ?? 0
      let perNode = environment["SLURM_STEP_TASKS_PER_NODE"] ?? environment["SLURM_NTASKS_PER_NODE"]
      localSize = perNode.flatMap { Int($0.prefix { $0.isNumber }) } ?? 1
    } else if let rank = number("PMIX_RANK", "PMI_RANK") {
      launcher = "PMI"
      size = number("PMI_SIZE") ?? 0
      self.rank = rank
      localSize = 1
    } else {
      return nil
    }
  }
}

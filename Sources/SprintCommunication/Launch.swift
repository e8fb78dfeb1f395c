import Foundation

/// How an MPI launcher started this process, read from the environment alone.
package struct Launch: Sendable, Equatable {
  /// The launcher's name.
  package let launcher: String
  /// The number of processes of the job; 0 if the launcher does not say.
  package let size: Int
  /// The rank of this process.
  package let rank: Int
  /// The number of the job's processes on this host.
  package let localSize: Int

  /// The launch of this process; nil if no launcher started it.
  package static let current = Launch(environment: ProcessInfo.processInfo.environment)

  /// The default number of threads of a process: one per core that it may run on. Processes that may each run on all
  /// cores of a host share them.
  package static var threadsPerRank: Int {
    let (allowed, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
    return allowed < all ? allowed : max(1, all / max(1, current?.localSize ?? 1))
  }

  /// Reads the variables that mpirun, srun and other PMI launchers set; nil without any of them.
  package init?(environment: [String: String]) {
    func number(_ names: String...) -> Int? { names.compactMap { environment[$0].flatMap { Int($0) } }.first }
    if let size = number("OMPI_COMM_WORLD_SIZE") {
      launcher = "mpirun"
      self.size = size
      rank = number("OMPI_COMM_WORLD_RANK") ?? 0
      localSize = number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1
    } else if let size = number("SLURM_STEP_NUM_TASKS"), environment["SLURM_PROCID"] != nil,
      // Slurm counts a batch script as a step of one task. Of several tasks with a terminal one has it, and who types
      // there starts single processes.
      environment["PMIX_RANK"] != nil || size > 1 && environment["SLURM_PTY_PORT"] == nil
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

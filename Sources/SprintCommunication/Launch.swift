import Foundation
import SprintKernels

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

  /// The default number of threads of a process: one per core of its share. Ranks of a host share the cores that they
  /// may run on, and the CPU quota of their container.
  package static var threadsPerRank: Int {
    let (allowed, ranks) = (ProcessInfo.processInfo.activeProcessorCount, max(1, current?.localSize ?? 1))
    return threads(
      allowed: allowed, ofLauncher: ranks > 1 ? ProcessAncestry.launcherCores ?? allowed : allowed, ranks: ranks,
      quota: CPUQuota.cores())
  }

  /// The threads of one of several ranks on a host.
  ///
  /// - Parameters:
  ///   - allowed: cores that the rank may run on
  ///   - ofLauncher: cores that its launcher may run on; where they are more, it has bound each rank to some of them
  ///   - ranks: the ranks on the host
  ///   - quota: the cores' time that all of them may take; nil for no limit
  package static func threads(allowed: Int, ofLauncher: Int, ranks: Int, quota: Double?) -> Int {
    let all = max(allowed, ofLauncher)
    // Ranks that share the same cores, if the launcher has spread them evenly.
    let sharing = max(1, (ranks * allowed + all - 1) / all)
    let ofQuota = quota.map { Int(($0 / Double(ranks)).rounded(.up)) } ?? .max
    return max(1, min(allowed / sharing, ofQuota))
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

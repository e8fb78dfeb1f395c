import Testing

import SprintCommunication

@Suite struct LaunchTests {
  @Test("Launchers are recognised by the variables that they set; a process without them has no launch")
  func launchers() {
    #expect(Launch(environment: [:]) == nil)
    let mpirun = Launch(environment: [
      "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    ])
    #expect(mpirun?.size == 4 && mpirun?.rank == 3 && mpirun?.localSize == 2)
    let srun = Launch(environment: [
      "SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
    ])
    #expect(srun?.size == 8 && srun?.rank == 5 && srun?.localSize == 4)
    // A batch script that srun did not start.
    #expect(Launch(environment: ["SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"]) == nil)
  }

  @Test("A shell that srun gave a terminal has Slurm's variables but no ranks; with PMIx there are ranks")
  func terminal() {
    let shell = ["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0", "SLURM_PTY_PORT": "40123"]
    #expect(Launch(environment: shell) == nil)
    #expect(Launch(environment: shell.merging(["PMIX_RANK": "2"]) { $1 })?.rank == 2)
    #expect(Launch(environment: shell.filter { $0.key != "SLURM_PTY_PORT" })?.size == 4)
    #expect(Launch(environment: shell.filter { $0.key == "SLURM_PROCID" }) == nil)
  }

  @Test(
    "Ranks share the cores of their part of a node and the quota of its time",
    arguments: [
      // All of a node, a part of it, a core or a NUMA domain for each rank.
      (64, 64, 1, nil, 64), (64, 64, 4, nil, 16), (8, 8, 8, nil, 1), (8, 8, 3, nil, 2), (2, 2, 5, nil, 1),
      (1, 64, 2, nil, 1), (16, 64, 4, nil, 16), (16, 64, 8, nil, 8), (4, 64, 8, nil, 4),
      // Half a core, one and a half, and more than there are.
      (64, 64, 1, 0.5, 1), (64, 64, 1, 1.5, 2), (64, 64, 4, 6, 2), (4, 4, 1, 100, 4),
    ] as [(Int, Int, Int, Double?, Int)])
  func threads(allowed: Int, ofLauncher: Int, ranks: Int, quota: Double?, expected: Int) {
    #expect(Launch.threads(allowed: allowed, ofLauncher: ofLauncher, ranks: ranks, quota: quota) == expected)
  }
}

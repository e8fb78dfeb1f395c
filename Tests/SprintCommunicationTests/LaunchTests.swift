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
}

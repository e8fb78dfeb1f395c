import SprintTraining

extension ConfigurationRemedy: Advice {
  var advice: String {
    switch self {
    case .nameRun: "name the folder of the run with --run"
    case .resume: "continue a run with --resume auto"
    case .nameWeights: "start from weights with --init WEIGHTS.safetensors"
    case .startRanks: "start several ranks with mpirun -np N sprint train, or launch/mpirun.sh"
    }
  }
}

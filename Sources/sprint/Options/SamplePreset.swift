import ArgumentParser
import SprintDiffusion
import SprintTraining

/// Settings of `sprint sample` that belong together; an option that is given replaces its part.
enum SamplePreset: String, CaseIterable, ExpressibleByArgument {
  /// Those of SPRINT's evaluation, arXiv 2510.21986: the SDE in 250 steps, the last one from t = 0.04, and labels drawn
  /// at random.
  case published

  var sampler: SamplingMethod { .sde }
  var steps: Int { 250 }
  var labels: SampleLabels { .random }
}

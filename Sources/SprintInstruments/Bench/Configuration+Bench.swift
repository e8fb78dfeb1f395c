import SprintData
import SprintTraining

extension Configuration {
  /// Makes a configuration with the published network of a size.
  ///
  /// - Parameter rest: further lines of the document
  package static func forBench(size: String, _ rest: String = "") throws -> Self {
    let text = """
      model: {size: \(size), side: 32, channels: 4, classes: 1000}
      data: {train: [none.h5]}

      """
    return try Configuration(ConfigurationDocument(text: text + rest, source: "bench"))
  }

  /// Returns `steps` steps of the first stage, without checkpoints, validation, pictures and mirrored images.
  func forBench(steps: Int, threads: Int) -> Self {
    var bench = self
    bench.stages = [stages[0]]
    bench.stages[0].steps = steps
    bench.threads = threads
    (bench.data.flips, bench.data.validation) = (false, [])
    (bench.checkpoint.keep, bench.samples.interval) = (0, nil)
    return bench
  }

  /// Writes noise in the shapes of all that the configuration reads of its first data set.
  func writeNoise() throws {
    let teacher = teacherArrays
    // A teacher's arrays are large, and samples may come again.
    let samples = max(teacher.isEmpty ? 1024 : 1, stages[0].batch)
    try SyntheticLatents.write(
      data.train[0], samples: samples, channels: model.channels, side: model.side, classes: model.labels.count,
      teacher: teacher)
  }

  /// The path of each array of a teacher, and the shape of a sample's part of it.
  private var teacherArrays: [(path: String, shape: [Int])] {
    let names = data.teacher
    var arrays: [(path: String, shape: [Int])] = []
    if let name = names.features, let projector = model.projector {
      arrays.append((TeacherGroup.features.path(name), [model.patches, projector.featureWidth]))
    }
    if let name = names.classTokens, let width = model.classToken {
      arrays.append((TeacherGroup.classTokens.path(name), [width]))
    }
    if let name = names.attention, let attention = model.attentionAlignment {
      let shape = [attention.blocks.count, attention.heads, model.tokens, 64]
      arrays += [TeacherGroup.queries, .keys].map { ($0.path(name), shape) }
    }
    return arrays
  }
}

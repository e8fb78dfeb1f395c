import SprintData

extension Configuration {
  /// The data sets of a run.
  package struct Data: Sendable, Equatable {
    /// Files to train on.
    package var train: [String]
    /// Held-out files; empty for none.
    package var validation: [String]
    /// Whether images are mirrored at random.
    package var flips: Bool
    /// What the files to train on hold of a teacher, as the section `alignment` names it.
    package var teacher = TeacherNames()
  }
}

extension Configuration.Data {
  init(_ reader: ConfigurationReader) throws {
    train = try reader.texts("train")
    validation = try reader.texts("validation", default: [])
    try reader.checkPaths("train", train)
    try reader.checkPaths("validation", validation)
    flips = try reader.boolean("flip", default: false)
    try reader.finish()
  }
}

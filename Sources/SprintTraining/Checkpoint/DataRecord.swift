import SprintData
import SprintFormats

/// What a checkpoint says about the data of its run: enough to notice other data.
package struct DataRecord: Sendable {
  /// What the numbers of the training data mean.
  package let properties: LatentProperties
  /// The number of samples in the training data.
  package let samples: Int
  /// SHA-256 of what tells training and held-out data from others; nil where a checkpoint does not say or there are no
  /// held-out data.
  package let training, validation: String?

  /// Describes data of which nothing but their properties and number is known.
  package init(_ properties: LatentProperties, samples: Int) {
    (self.properties, self.samples, training, validation) = (properties, samples, nil, nil)
  }

  /// Reads what tells the data of a run from others.
  init(_ training: LatentDataset, validation: LatentDataset?) throws {
    (properties, samples) = (training.properties, training.count)
    self.training = try training.fingerprint().sha256
    self.validation = try validation?.fingerprint().sha256
  }

  /// Reads the record of a checkpoint.
  init(of file: HDF5File) throws {
    properties = try LatentProperties(of: file)
    let number = try file.numbers("samples")?.first ?? .nan
    guard let samples = Int(exactly: number), samples >= 0 else {
      throw FileError.unexpected(
        path: file.path, name: "samples", found: "\(number)", expected: "a number of samples")
    }
    self.samples = samples
    (training, validation) = (try file.text("training_data"), try file.text("validation_data"))
  }

  /// Writes the record into a checkpoint.
  func write(to file: HDF5File) throws {
    try file.write(properties)
    try file.write(attribute: "samples", samples)
    if let training { try file.write(attribute: "training_data", training) }
    if let validation { try file.write(attribute: "validation_data", validation) }
  }

  /// Whether two records may be of the same training data, or held-out data, as far as both say.
  func matches(_ other: DataRecord, _ part: KeyPath<DataRecord, String?>) -> Bool {
    guard let own = self[keyPath: part], let theirs = other[keyPath: part] else { return true }
    return own == theirs
  }
}

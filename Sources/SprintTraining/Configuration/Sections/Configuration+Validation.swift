extension Configuration {
  /// How the loss on held-out data is computed.
  package struct Validation: Sendable, Equatable {
    /// Steps between validations.
    package var interval: Int
    /// The number of samples, which are the same in every validation.
    package var samples: Int
  }
}

extension Configuration.Validation {
  init(_ reader: ConfigurationReader) throws {
    interval = try reader.integer("interval", default: 10_000)
    samples = try reader.integer("samples", default: 1024)
    try reader.finish()
  }
}
